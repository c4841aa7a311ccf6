# SPDX-License-Identifier: GPL-3.0-or-later
"""Add a layer to those that dream, chosen by its picture."""

from __future__ import annotations

import bpy

from ...protocol.errors import SettingsError
from ..brain_choice import Item, known_brain, mixed, single_layers
from ..target import OnSettings, shown_settings
from .running import told_at_once


def _layers(_operator: bpy.types.Operator, context: bpy.types.Context | None) -> list[Item]:
    settings = shown_settings(context) if context else None
    return single_layers(settings) if settings else []


class DEEPDREAM_OT_mix_layer(OnSettings, bpy.types.Operator):
    """Mix another layer into what dreams; weight 0 takes it out"""

    bl_idname = "deepdream.mix_layer"
    bl_label = "Mix in a Layer"

    layer: bpy.props.EnumProperty(name="Layer", items=_layers)
    weight: bpy.props.FloatProperty(name="Weight", default=1, min=-10, max=10, soft_min=0, soft_max=4)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, width=240)

    def draw(self, _context: bpy.types.Context) -> None:
        self.layout.template_icon_view(self, "layer", show_labels=True, scale=6, scale_popup=5)
        self.layout.prop(self, "layer", text="")
        self.layout.prop(self, "weight")

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        settings = shown_settings(context)
        if not self.layer:
            raise SettingsError("The layers of this brain are not known here.", "Press Update Brains, or type them.")
        brain = known_brain(settings)
        before = settings.layers.strip() or (brain.own_choice if brain else "")
        settings.layers = mixed(before, self.layer, self.weight)


classes = (DEEPDREAM_OT_mix_layer,)
