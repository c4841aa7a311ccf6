# SPDX-License-Identifier: GPL-3.0-or-later
"""The DeepDream tab of the 3D View's sidebar: dreaming the surfaces of the selected objects."""

from __future__ import annotations

import bpy

from ..drawing import Helped, draw_activity, draw_error
from ..operators.dream_surface import (
    DEEPDREAM_OT_cancel_surface,
    DEEPDREAM_OT_dream_surface,
    DEEPDREAM_OT_remove_surface,
    DEEPDREAM_OT_toggle_surface,
    dreamed_materials,
)
from ..operators.surface_regions import DEEPDREAM_OT_add_surface_region, DEEPDREAM_OT_remove_surface_region
from ..surface_properties import SURFACE_KNOBS
from .choosing import SLIDERS, DEEPDREAM_PT_looks, draw_pictures, draw_sliders
from .folded import Folded, FoldedObjective
from .region_list import draw_list, draw_wish

_FIRST = ("brain", "layers", *SLIDERS, "seed")
_VIEWS = ("views", "side", "spread", "moments", "light", "samples", "again")
_TEXTURE = ("size", "uvs", "depth", "relief")
_ADVANCED = tuple(name for name in SURFACE_KNOBS if name not in {*_FIRST, *FoldedObjective.names})


class _Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DeepDream"


class DEEPDREAM_PT_surface(Helped, _Sidebar, bpy.types.Panel):
    bl_label = "Dream Surface"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        DEEPDREAM_PT_looks.draw_menu(self.layout)
        super().draw_header_preset(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.surface
        state = context.window_manager.deepdream.surface
        if draw_activity(layout, context, state, DEEPDREAM_OT_cancel_surface.bl_idname):
            return
        layout.use_property_split = True
        draw_pictures(layout, context, settings)
        draw_sliders(layout, settings)
        for name in _TEXTURE:
            layout.prop(settings, name)
        item = context.object
        if item and item.type == "MESH" and (settings.mask or item.data.color_attributes):
            layout.prop_search(settings, "mask", item.data, "color_attributes")
        column = layout.column(align=True)
        column.scale_y = 1.3
        column.operator(DEEPDREAM_OT_dream_surface.bl_idname, icon="MATERIAL")
        if any(dreamed_materials(context.selected_objects)):
            row = layout.row(align=True)
            row.operator(DEEPDREAM_OT_toggle_surface.bl_idname, icon="ARROW_LEFTRIGHT")
            row.operator(DEEPDREAM_OT_remove_surface.bl_idname, text="", icon="X")
        draw_error(layout, context, state)


class _Below(_Sidebar):
    """A panel below that one."""

    bl_parent_id = "DEEPDREAM_PT_surface"

    @classmethod
    def settings(cls, context: bpy.types.Context) -> bpy.types.PropertyGroup:
        return context.scene.deepdream.surface


class DEEPDREAM_PT_surface_views(_Below, Folded, bpy.types.Panel):
    bl_label = "Views"
    names = _VIEWS


class DEEPDREAM_PT_surface_regions(_Below, Folded, bpy.types.Panel):
    bl_label = "Regions"

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout, item = self.settings(context), self.layout, context.object
        layout.use_property_split = True
        add, remove = DEEPDREAM_OT_add_surface_region, DEEPDREAM_OT_remove_surface_region
        region = draw_list(layout, settings, add.bl_idname, remove.bl_idname)
        if not region:
            return
        if item and item.type == "MESH":
            layout.prop_search(region, "attribute", item.data, "color_attributes")
        if not region.attribute:
            layout.label(text="or an image on the UV maps:")
            layout.template_ID(region, "mask", new="image.new", open="image.open")
        draw_wish(layout, settings, region, "rest")


class DEEPDREAM_PT_surface_objective(_Below, FoldedObjective, bpy.types.Panel):
    @classmethod
    def looks_at_guide(cls, settings: bpy.types.PropertyGroup) -> bool:
        return settings.needs_guide or any(region.needs_guide(settings) for region in settings.regions)


class DEEPDREAM_PT_surface_advanced(_Below, Folded, bpy.types.Panel):
    bl_label = "Advanced"
    names = _ADVANCED


classes = (
    DEEPDREAM_PT_surface,
    DEEPDREAM_PT_surface_views,
    DEEPDREAM_PT_surface_regions,
    DEEPDREAM_PT_surface_objective,
    DEEPDREAM_PT_surface_advanced,
)
