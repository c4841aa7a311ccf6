# SPDX-License-Identifier: GPL-3.0-or-later
"""The DeepDream tab of the compositor's sidebar: buttons, progress, the last error, the node's settings."""

from __future__ import annotations

import textwrap

import bpy

from ...protocol.settings import KNOBS
from .. import changes, node
from ..operators.add_node import DEEPDREAM_OT_add_node
from ..operators.cancel import DEEPDREAM_OT_cancel
from ..operators.dream_animation import DEEPDREAM_OT_dream_animation
from ..operators.dream_frame import DEEPDREAM_OT_dream_frame

_MAIN = ("brain", "layers", "objective", "strength", "seed")
_PIXELS_PER_LETTER = 7
_MARGIN = 60
"""Of a box with an icon in it, in pixels."""


class _Sidebar:
    bl_space_type = "NODE_EDITOR"
    bl_region_type = "UI"
    bl_category = "DeepDream"


class DEEPDREAM_PT_dream(_Sidebar, bpy.types.Panel):
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
        if not any(map(node.dream_group_of, _nodes(context))):
            layout.label(text="No DeepDream node here yet", icon="INFO")
            layout.operator(DEEPDREAM_OT_add_node.bl_idname, text="Add DeepDream Node", icon="ADD")
            return
        column = layout.column(align=True)
        column.scale_y = 1.3
        column.operator(DEEPDREAM_OT_dream_frame.bl_idname, icon="RENDER_STILL")
        column.operator(DEEPDREAM_OT_dream_animation.bl_idname, icon="RENDER_ANIMATION")
        if state.error:
            _wrapped(layout.box(), context, state.error, icon="ERROR")


class DEEPDREAM_PT_node(_Sidebar, bpy.types.Panel):
    bl_label = "Node"
    bl_parent_id = "DEEPDREAM_PT_dream"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _shown_group(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        settings = _shown_group(context).deepdream
        for name in _MAIN:
            layout.prop(settings, name, placeholder="Brain's own" if name == "layers" else "")
            if name == "objective" and settings.needs_guide:
                layout.template_ID(settings, "guide", open="image.open")


class DEEPDREAM_PT_ascent(_Sidebar, bpy.types.Panel):
    bl_label = "Detail"
    bl_parent_id = "DEEPDREAM_PT_node"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        for name in KNOBS:
            if name not in _MAIN:
                layout.prop(_shown_group(context).deepdream, name)


class DEEPDREAM_PT_cache(_Sidebar, bpy.types.Panel):
    bl_label = "Cache"
    bl_parent_id = "DEEPDREAM_PT_dream"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(context.scene.deepdream, "cache")
        layout.prop(context.scene.deepdream, "rerender")
        if changes.unsaved_3d():
            layout.label(text="3D has changed: it will be rendered again", icon="INFO")


def _nodes(context: bpy.types.Context) -> list[bpy.types.Node]:
    tree = context.space_data.edit_tree
    return list(tree.nodes) if tree else []


def _shown_group(context: bpy.types.Context) -> bpy.types.NodeTree | None:
    """The group of the active DeepDream node, or of the first one."""
    nodes = _nodes(context)
    active = context.space_data.edit_tree.nodes.active if nodes else None
    return next(filter(None, map(node.dream_group_of, [active, *nodes])), None)


def _wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Labels do not wrap by themselves."""
    width = context.region.width / context.preferences.system.ui_scale - _MARGIN
    letters = max(20, int(width / _PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else "NONE")


classes = (DEEPDREAM_PT_dream, DEEPDREAM_PT_node, DEEPDREAM_PT_ascent, DEEPDREAM_PT_cache)
