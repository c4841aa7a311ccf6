# SPDX-License-Identifier: GPL-3.0-or-later
"""The DeepDream tab of the compositor's sidebar: buttons, progress, the last error, the cache."""

from __future__ import annotations

import bpy

from .. import changes, node
from ..cache import scene_cache
from ..counting import Counted, counted
from ..drawing import Helped, draw_activity, draw_error, wrapped
from ..operators.add_node import DEEPDREAM_OT_add_node
from ..operators.cancel import DEEPDREAM_OT_cancel
from ..operators.clear_cache import DEEPDREAM_OT_clear_cache
from ..operators.dream_animation import DEEPDREAM_OT_dream_animation
from ..operators.dream_frame import DEEPDREAM_OT_dream_frame
from ..operators.quick_test import DEEPDREAM_OT_quick_test
from ..status import status


class Sidebar:
    """Mixed into the tab's panels."""

    bl_space_type = "NODE_EDITOR"
    bl_region_type = "UI"
    bl_category = "DeepDream"


class DEEPDREAM_PT_dream(Helped, Sidebar, bpy.types.Panel):
    bl_label = "DeepDream"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.space_data.tree_type == "CompositorNodeTree"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = self.layout, context.window_manager.deepdream
        if draw_activity(layout, context, state, DEEPDREAM_OT_cancel.bl_idname):
            return
        group = node.shown_group(context)
        if group is None:
            layout.label(text="No DeepDream node here yet", icon="INFO")
            layout.operator(DEEPDREAM_OT_add_node.bl_idname, text="Add DeepDream Node", icon="ADD")
            return
        shown = status(context.scene, group)
        layout.label(text=shown.text, icon=shown.icon)
        column = layout.column(align=True)
        column.scale_y = 1.3
        column.operator(DEEPDREAM_OT_dream_frame.bl_idname, icon="RENDER_STILL")
        column.operator(DEEPDREAM_OT_dream_animation.bl_idname, icon="RENDER_ANIMATION")
        column.operator(DEEPDREAM_OT_quick_test.bl_idname, icon="VIEWZOOM")
        layout.prop(context.scene.deepdream, "after_render")
        _draw_time(layout, context)
        draw_error(layout, context, state)


class DEEPDREAM_PT_cache(Sidebar, bpy.types.Panel):
    bl_label = "Cache"
    bl_parent_id = "DEEPDREAM_PT_dream"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(context.scene.deepdream, "cache")
        _draw_room(layout, context)
        layout.prop(context.scene.deepdream, "rerender")
        if changes.unsaved_3d():
            layout.label(text="3D has changed: it will be rendered again", icon="INFO")


def _draw_time(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What Dream Animation will take, where that is known."""
    from ..forecast import forecast

    found = counted(scene_cache(context.scene).root)
    expected = found and forecast(context.scene, found)
    if expected and expected.time_text:
        wrapped(layout, context, expected.time_text, icon="TIME")


def _draw_room(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Where the cache lies, how large it is and will be, and the button that clears it."""
    root = scene_cache(context.scene).root
    column = layout.column(align=True)
    wrapped(column, context, str(root), icon="FILE_FOLDER")
    found = counted(root)
    wrapped(column, context, _room_text(context.scene, found) if found else "Counting ...", icon="DISK_DRIVE")
    layout.operator(DEEPDREAM_OT_clear_cache.bl_idname, icon="TRASH")


def _room_text(scene: bpy.types.Scene, found: Counted) -> str:
    from ..forecast import forecast

    if found.error:
        return found.error
    expected = forecast(scene, found)
    return f"{found.room.text}. {expected.room_text}" if expected and expected.missing else found.room.text


classes = (DEEPDREAM_PT_dream, DEEPDREAM_PT_cache)
