# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to train on, rendered from the scene."""

from __future__ import annotations

import bpy

from ..operators.render_dataset import DEEPDREAM_OT_cancel_dataset, DEEPDREAM_OT_render_dataset
from .activity import draw_activity, wrapped
from .compositor import Sidebar


class DEEPDREAM_PT_dataset(Sidebar, bpy.types.Panel):
    bl_label = "Render Pictures from Scene"
    bl_parent_id = "DEEPDREAM_PT_dream"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.dataset
        state = context.window_manager.deepdream.dataset
        if draw_activity(layout, context, state, DEEPDREAM_OT_cancel_dataset.bl_idname):
            return
        layout.use_property_split = True
        layout.prop(context.scene.deepdream, "pictures")
        for name in ("classes", "count", "side", "cameras"):
            layout.prop(settings, name)
        column = layout.column(align=True)
        column.prop(settings, "lowest")
        column.prop(settings, "highest")
        for name in ("background", "engine", "samples", "seed", "again"):
            layout.prop(settings, name)
        layout.operator(DEEPDREAM_OT_render_dataset.bl_idname, icon="RENDER_RESULT")
        if state.error:
            wrapped(layout.box(), context, state.error, icon="ERROR")


classes = (DEEPDREAM_PT_dataset,)
