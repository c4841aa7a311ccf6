# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a DeepDream node as Blender properties, made from the knobs of `protocol.settings`."""

from __future__ import annotations

from typing import Any

import bpy

from ..protocol.layers import format_layers, parse_layers
from ..protocol.settings import KNOBS, DreamSettings, Knob


def _property(knob: Knob) -> Any:
    shown = {"name": knob.label, "description": knob.help}
    if knob.kind == "layers":
        return bpy.props.StringProperty(**shown, default=format_layers(knob.default))
    if knob.kind == "text":
        return bpy.props.StringProperty(**shown, default=knob.default)
    if knob.kind == "choice":
        items = [(choice, choice.replace("-", " ").capitalize(), "") for choice in knob.choices]
        return bpy.props.EnumProperty(**shown, default=knob.default, items=items)
    limits = {"min": knob.hard[0], "max": knob.hard[1], "soft_min": knob.soft[0], "soft_max": knob.soft[1]}
    if knob.kind == "int":
        whole = {name: int(value) for name, value in limits.items()}
        return bpy.props.IntProperty(**shown, default=knob.default, **whole)
    return bpy.props.FloatProperty(**shown, default=knob.default, precision=3, **limits)


class DeepDreamNodeSettings(bpy.types.PropertyGroup):
    """Stored on the node's own node group, so that settings travel, animate and append with it.

    id: 32 hexadecimal digits that name the node's results in the cache; empty on a group that is no DeepDream node.
    guide: for the objectives that need one.
    """

    __annotations__ = {
        "id": bpy.props.StringProperty(options={"HIDDEN"}),
        "guide": bpy.props.PointerProperty(
            type=bpy.types.Image, name="Guide", description="Image whose things the dream shall be made of"
        ),
        **{knob.name: _property(knob) for knob in KNOBS.values()},
    }

    @property
    def needs_guide(self) -> bool:
        """Whether the chosen objective looks at a guide image."""
        return DreamSettings().replace(objective=self.objective).needs_guide

    def to_settings(self) -> DreamSettings:
        """What is dreamed, checked once more. Raises SettingsError."""
        values = {knob.name: getattr(self, knob.name) for knob in KNOBS.values()}
        return DreamSettings().replace(**values | {"layers": parse_layers(self.layers)})


class DeepDreamSceneSettings(bpy.types.PropertyGroup):
    """What concerns a scene's dreams as a whole."""

    __annotations__ = {
        "cache": bpy.props.StringProperty(
            name="Cache",
            description="Folder for rendered passes and dreams; empty: beside the .blend file",
            subtype="DIR_PATH",
        ),
        "rerender": bpy.props.BoolProperty(
            name="Render 3D Again", description="Render the scene again even where rendered passes are still good"
        ),
    }


class DeepDreamState(bpy.types.PropertyGroup):
    """What the panels show of the work in hand; lives on the window manager and is never saved."""

    __annotations__ = {
        "running": bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}),
        "cancelling": bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}),
        "fraction": bpy.props.FloatProperty(min=0, max=1, subtype="FACTOR", options={"HIDDEN", "SKIP_SAVE"}),
        "message": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
        "error": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
    }


classes = (DeepDreamNodeSettings, DeepDreamSceneSettings, DeepDreamState)

_POINTERS = (
    (bpy.types.NodeTree, DeepDreamNodeSettings),
    (bpy.types.Scene, DeepDreamSceneSettings),
    (bpy.types.WindowManager, DeepDreamState),
)


def register() -> None:
    for owner, settings in _POINTERS:
        owner.deepdream = bpy.props.PointerProperty(type=settings)


def unregister() -> None:
    for owner, _ in _POINTERS:
        del owner.deepdream
