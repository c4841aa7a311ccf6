# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to train on, rendered from the scene."""

from __future__ import annotations

import bpy

from ..drawing import draw_activity, draw_error
from ..operators.render_dataset import DEEPDREAM_OT_cancel_dataset, DEEPDREAM_OT_render_dataset
from .compositor import Sidebar


class DEEPDREAM_PT_dataset(Sidebar, bpy.types.Panel):
    bl_label = "Render Pictures from Scene"
    bl_parent_id = "DEEPDREAM_PT_training"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.dataset
        state = context.window_manager.deepdream.dataset
        if draw_activity(layout, context, state, DEEPDREAM_OT_cancel_dataset.bl_idname):
            return
        layout.use_property_split, layout.use_property_decorate = True, False
        for name in ("classes", "count", "side", "cameras"):
            layout.prop(settings, name)
        column = layout.column(align=True)
        column.prop(settings, "lowest")
        column.prop(settings, "highest")
        layout.prop(settings, "background")
        layout.operator(DEEPDREAM_OT_render_dataset.bl_idname, icon="RENDER_RESULT")
        draw_error(layout, context, state)


class DEEPDREAM_PT_dataset_details(Sidebar, bpy.types.Panel):
    bl_label = "Details"
    bl_parent_id = "DEEPDREAM_PT_dataset"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not context.window_manager.deepdream.dataset.running

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        for name in ("engine", "samples", "seed", "again"):
            layout.prop(context.scene.deepdream.dataset, name)


classes = (DEEPDREAM_PT_dataset, DEEPDREAM_PT_dataset_details)
