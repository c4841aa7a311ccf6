# SPDX-License-Identifier: GPL-3.0-or-later
"""The DeepDream tab of the compositor's sidebar: buttons, progress, the last error, the cache."""

from __future__ import annotations

import textwrap

import bpy

from .. import changes, node
from ..operators.add_node import DEEPDREAM_OT_add_node
from ..operators.cancel import DEEPDREAM_OT_cancel
from ..operators.dream_animation import DEEPDREAM_OT_dream_animation
from ..operators.dream_frame import DEEPDREAM_OT_dream_frame

_PIXELS_PER_LETTER = 7
_MARGIN = 60
"""Of a box with an icon in it, in pixels."""


class Sidebar:
    """Mixed into the tab's panels."""

    bl_space_type = "NODE_EDITOR"
    bl_region_type = "UI"
    bl_category = "DeepDream"


class DEEPDREAM_PT_dream(Sidebar, bpy.types.Panel):
    bl_label = "DeepDream"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.space_data.tree_type == "CompositorNodeTree"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = self.layout, context.window_manager.deepdream
        if state.running:
            layout.progress(factor=state.fraction, text=f"{state.fraction:.0%}")
            _wrapped(layout, context, state.message)
            layout.operator(DEEPDREAM_OT_cancel.bl_idname, icon="CANCEL")
            return
        if node.shown_group(context) is None:
            layout.label(text="No DeepDream node here yet", icon="INFO")
            layout.operator(DEEPDREAM_OT_add_node.bl_idname, text="Add DeepDream Node", icon="ADD")
            return
        column = layout.column(align=True)
        column.scale_y = 1.3
        column.operator(DEEPDREAM_OT_dream_frame.bl_idname, icon="RENDER_STILL")
        column.operator(DEEPDREAM_OT_dream_animation.bl_idname, icon="RENDER_ANIMATION")
        if state.error:
            _wrapped(layout.box(), context, state.error, icon="ERROR")


class DEEPDREAM_PT_cache(Sidebar, bpy.types.Panel):
    bl_label = "Cache"
    bl_parent_id = "DEEPDREAM_PT_dream"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(context.scene.deepdream, "cache")
        layout.prop(context.scene.deepdream, "rerender")
        if changes.unsaved_3d():
            layout.label(text="3D has changed: it will be rendered again", icon="INFO")


def _wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Labels do not wrap by themselves."""
    width = context.region.width / context.preferences.system.ui_scale - _MARGIN
    letters = max(20, int(width / _PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else "NONE")


classes = (DEEPDREAM_PT_dream, DEEPDREAM_PT_cache)
