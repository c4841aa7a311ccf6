# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in hand, as panels show it. code: of the error that it ended with."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

ACTIVITY = {
    "running": bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}),
    "cancelling": bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}),
    "fraction": bpy.props.FloatProperty(min=0, max=1, subtype="FACTOR", options={"HIDDEN", "SKIP_SAVE"}),
    "message": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
    "error": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
    "code": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
}


class DeepDreamActivity(bpy.types.PropertyGroup):
    """One kind of work; lives on the window manager and is never saved."""

    __annotations__ = ACTIVITY


def all_work(state: bpy.types.PropertyGroup) -> Iterator[bpy.types.PropertyGroup]:
    """What the window manager has of each kind: dreaming itself, and what may run beside it."""
    yield state
    held = (getattr(state, prop.identifier) for prop in state.bl_rna.properties)
    yield from (one for one in held if isinstance(one, DeepDreamActivity))
