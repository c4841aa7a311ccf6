# SPDX-License-Identifier: GPL-3.0-or-later
"""Knobs as Blender's properties, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..protocol.knob import Knob
from ..protocol.layers import format_layers


def knob_property(knob: Knob) -> Any:
    shown = {"name": knob.label, "description": knob.help}
    if knob.kind == "layers":
        return bpy.props.StringProperty(**shown, default=format_layers(knob.default))
    if knob.kind == "text":
        return bpy.props.StringProperty(**shown, default=knob.default)
    if knob.kind == "flag":
        return bpy.props.BoolProperty(**shown, default=knob.default)
    if knob.kind == "choice":
        return bpy.props.EnumProperty(**shown, default=knob.default, items=choice_items(knob.choices))
    limits = {"min": knob.hard[0], "max": knob.hard[1], "soft_min": knob.soft[0], "soft_max": knob.soft[1]}
    if knob.kind == "int":
        whole = {name: int(value) for name, value in limits.items()}
        return bpy.props.IntProperty(**shown, default=knob.default, **whole)
    return bpy.props.FloatProperty(**shown, default=knob.default, precision=3, **limits)


def choice_items(choices: Sequence[str]) -> list[tuple[str, str, str]]:
    return [(choice, choice.replace("-", " ").capitalize(), "") for choice in choices]
