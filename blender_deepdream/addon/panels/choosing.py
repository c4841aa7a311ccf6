# SPDX-License-Identifier: GPL-3.0-or-later
"""Brain, layers and looks, chosen by what they look like; the same for nodes, images and surfaces."""

from __future__ import annotations

import bpy
from bl_ui.utils import PresetPanel

from .. import looks
from ..brain_choice import known_brain, title_of
from ..drawing import draw_activity, draw_error
from ..operators.looks import (
    DEEPDREAM_OT_apply_look,
    DEEPDREAM_OT_export_look,
    DEEPDREAM_OT_import_look,
    DEEPDREAM_OT_new_seed,
    DEEPDREAM_OT_random_look,
    DEEPDREAM_OT_remove_look,
    DEEPDREAM_OT_save_look,
)
from ..operators.mix_layer import DEEPDREAM_OT_mix_layer
from ..operators.update_brains import DEEPDREAM_OT_cancel_brains, DEEPDREAM_OT_update_brains
from ..pictures import icon

_COLUMNS = 4
SLIDERS = ("strength", "octaves", "steps")


def draw_pictures(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """The brain and the layer as pictures beside each other, the layers as text below."""
    row = layout.row()
    for name in ("brain", "layer"):
        column = row.column(align=True)
        column.template_icon_view(settings, f"{name}_picture", show_labels=True, scale=4.6, scale_popup=5)
        label = column.row()
        label.alignment = "CENTER"
        label.label(text=title_of(settings, name))
    row = layout.row(align=True)
    row.use_property_split = False
    row.prop(settings, "layers", text="", icon="RENDERLAYERS", placeholder="Brain's own layers")
    row.operator(DEEPDREAM_OT_mix_layer.bl_idname, text="", icon="ADD")
    if known_brain(settings) is None:
        layout.prop(settings, "brain")
        _draw_update(layout, context)


def draw_sliders(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """What is turned first."""
    for name in SLIDERS:
        layout.prop(settings, name, slider=True)
    row = layout.row(align=True)
    row.prop(settings, "seed")
    row.operator(DEEPDREAM_OT_new_seed.bl_idname, text="", icon="FILE_REFRESH")
    row = layout.row(align=True)
    row.operator(DEEPDREAM_OT_random_look.bl_idname, text="Surprise Me", icon="SHADERFX").number = 0
    if settings.surprise:
        again = row.operator(DEEPDREAM_OT_random_look.bl_idname, text=str(settings.surprise))
        again.number = settings.surprise


class DEEPDREAM_PT_looks(PresetPanel, bpy.types.Panel):
    """Opens from the header of the settings, as Blender's presets do."""

    bl_label = "Looks"
    bl_ui_units_x = 18

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        grid = layout.grid_flow(row_major=True, columns=_COLUMNS, even_columns=True, even_rows=True, align=True)
        for path in looks.look_files():
            cell = grid.column(align=True)
            cell.template_icon(icon_value=icon(looks.picture_of(path)), scale=4.2)
            row = cell.row(align=True)
            row.operator(DEEPDREAM_OT_apply_look.bl_idname, text=looks.shown_name(path)).filepath = str(path)
            if looks.is_users(path):
                row.operator(DEEPDREAM_OT_remove_look.bl_idname, text="", icon="REMOVE").filepath = str(path)
        layout.separator()
        row = layout.row(align=True)
        row.operator(DEEPDREAM_OT_save_look.bl_idname, icon="ADD")
        row.operator(DEEPDREAM_OT_import_look.bl_idname, text="Import", icon="IMPORT")
        row.operator(DEEPDREAM_OT_export_look.bl_idname, text="Export", icon="EXPORT")


class BrainsPanel:
    """Mixed into a panel below the settings: more about brains."""

    bl_label = "Brains"

    def draw(self, context: bpy.types.Context) -> None:
        _draw_update(self.layout, context)


def _draw_update(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    state = context.window_manager.deepdream.brains
    if not draw_activity(layout, context, state, DEEPDREAM_OT_cancel_brains.bl_idname):
        layout.operator(DEEPDREAM_OT_update_brains.bl_idname, icon="FILE_REFRESH")
        draw_error(layout, context, state)


classes = (DEEPDREAM_PT_looks,)
