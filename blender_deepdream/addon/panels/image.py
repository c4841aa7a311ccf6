# SPDX-License-Identifier: GPL-3.0-or-later
"""The Image Editor's DeepDream tab, and textures in the 3D View's."""

from __future__ import annotations

from typing import ClassVar

import bpy

from ..drawing import Helped, draw_activity, draw_error
from ..image_properties import IMAGE_KNOBS
from ..operators.dream_image import (
    DEEPDREAM_OT_cancel_image,
    DEEPDREAM_OT_dream_image,
    DEEPDREAM_OT_image_to_material,
    shown_image,
)
from .choosing import SLIDERS, DEEPDREAM_PT_looks, draw_pictures, draw_sliders
from .folded import Folded, FoldedObjective

_COLOR = ("color", "highlights", "exposure")
_PLACED = {"brain", "layers", "seed", "seamless", *SLIDERS, *FoldedObjective.names, *_COLOR}


class _Sidebar:
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "DeepDream"


class DEEPDREAM_PT_image(Helped, _Sidebar, bpy.types.Panel):
    bl_label = "DeepDream"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        DEEPDREAM_PT_looks.draw_menu(self.layout)
        super().draw_header_preset(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.image
        if _draw_work(layout, context):
            return
        layout.use_property_split = True
        column = layout.column(align=True)
        column.scale_y = 1.3
        column.enabled = context.space_data.image is not None
        column.operator(DEEPDREAM_OT_dream_image.bl_idname, icon="IMAGE_DATA")
        column.operator(DEEPDREAM_OT_image_to_material.bl_idname, icon="MATERIAL")
        draw_error(layout, context, context.window_manager.deepdream.image)
        draw_pictures(layout, context, settings)
        draw_sliders(layout, settings)
        layout.prop(settings, "seamless")
        layout.prop(settings, "replace")


class _Below(_Sidebar):
    """A panel below that one."""

    bl_parent_id = "DEEPDREAM_PT_image"

    @classmethod
    def settings(cls, context: bpy.types.Context) -> bpy.types.PropertyGroup:
        return context.scene.deepdream.image


class DEEPDREAM_PT_image_objective(_Below, FoldedObjective, bpy.types.Panel):
    pass


class DEEPDREAM_PT_image_color(_Below, Folded, bpy.types.Panel):
    bl_label = "Color & Highlights"
    names = _COLOR


class DEEPDREAM_PT_image_advanced(_Below, Folded, bpy.types.Panel):
    bl_label = "Advanced"
    names = tuple(name for name in IMAGE_KNOBS if name not in _PLACED)


class DEEPDREAM_PT_texture(Helped, bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DeepDream"
    bl_label = "Dream Texture"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.image
        if _draw_work(layout, context):
            return
        image = shown_image(context)
        layout.label(text=image.name if image else "The active object has no base colour texture", icon="TEXTURE")
        layout.label(text="Settings: Image Editor > DeepDream")
        layout.prop(settings, "replace")
        row = layout.row()
        row.scale_y = 1.3
        row.enabled = image is not None
        row.operator(DEEPDREAM_OT_dream_image.bl_idname, text="Dream Texture", icon="TEXTURE")
        draw_error(layout, context, context.window_manager.deepdream.image)


def _draw_work(layout: bpy.types.UILayout, context: bpy.types.Context) -> bool:
    state = context.window_manager.deepdream.image
    return draw_activity(layout, context, state, DEEPDREAM_OT_cancel_image.bl_idname)


classes = (
    DEEPDREAM_PT_image,
    DEEPDREAM_PT_image_objective,
    DEEPDREAM_PT_image_color,
    DEEPDREAM_PT_image_advanced,
    DEEPDREAM_PT_texture,
)
