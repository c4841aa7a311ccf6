# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the DeepDream node that the sidebar shows, what is turned first above, the rest in folded panels."""

from __future__ import annotations

import bpy

from ...protocol.settings import KNOBS, MOTION
from .. import node
from ..drawing import wrapped
from ..history import history
from ..languages import shown
from ..operators.regions import DEEPDREAM_OT_add_region, DEEPDREAM_OT_remove_region
from ..operators.restore_dream import DEEPDREAM_OT_restore_dream
from ..pictures import icon
from .choosing import SLIDERS, BrainsPanel, DEEPDREAM_PT_looks, draw_pictures, draw_sliders
from .compositor import Sidebar
from .folded import Folded
from .region_list import draw_list, draw_wish

_COLUMNS = 3
_FIRST = ("brain", "layers", *SLIDERS, "seed")
_OBJECTIVE = ("objective", "cosine_power")
_COLOR = ("color", "highlights", "exposure")
_MOTION = ("coherence", *MOTION)
_PLACED = {*_FIRST, *_OBJECTIVE, *_COLOR, *_MOTION}


class DEEPDREAM_PT_node(Sidebar, bpy.types.Panel):
    bl_label = "Dream"
    bl_parent_id = "DEEPDREAM_PT_dream"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return node.shown_group(context) is not None

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        DEEPDREAM_PT_looks.draw_menu(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        settings = _begin(self, context)
        draw_pictures(self.layout, context, settings)
        if settings.fades:
            self.layout.prop(settings, "fade")
        draw_sliders(self.layout, settings)


class _Folded(Sidebar, Folded):
    """A panel below that one."""

    bl_parent_id = "DEEPDREAM_PT_node"

    @classmethod
    def settings(cls, context: bpy.types.Context) -> bpy.types.PropertyGroup:
        return node.shown_group(context).deepdream


class DEEPDREAM_PT_objective(_Folded, bpy.types.Panel):
    bl_label = "Objective & Guide"

    def draw(self, context: bpy.types.Context) -> None:
        settings = _begin(self, context)
        self.layout.prop(settings, "objective")
        if settings.needs_guide or any(region.needs_guide(settings) for region in settings.regions):
            self.layout.template_ID(settings, "guide", open="image.open")
        row = self.layout.row()
        row.active = settings.objective in ("guide-cosine", "direction")
        row.prop(settings, "cosine_power")


class DEEPDREAM_PT_regions(_Folded, bpy.types.Panel):
    bl_label = "Regions"

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = _begin(self, context), self.layout
        region = draw_list(layout, settings, DEEPDREAM_OT_add_region.bl_idname, DEEPDREAM_OT_remove_region.bl_idname)
        if region:
            layout.label(text=shown(f"Mask: input Region {settings.region + 1} of the node, or"))
            layout.template_ID(region, "mask", new="image.new", open="image.open")
            draw_wish(layout, settings, region, "node")


class DEEPDREAM_PT_source(_Folded, bpy.types.Panel):
    bl_label = "Source"
    names = ("source",)


class DEEPDREAM_PT_color(_Folded, bpy.types.Panel):
    bl_label = "Color & Highlights"
    names = _COLOR


class DEEPDREAM_PT_motion(_Folded, bpy.types.Panel):
    bl_label = "Motion"

    def draw(self, context: bpy.types.Context) -> None:
        from ..motion_words import motion_words

        super().draw(context)
        group = node.shown_group(context)
        settings = group.deepdream
        self.layout.prop(settings, "endless")
        if words := motion_words(context.scene, group):
            wrapped(self.layout, context, words, icon="ANIM")
        if settings.endless and settings.color == "free":
            self.layout.label(text="Color: Source keeps colors from drifting", icon="INFO")

    names = _MOTION


class DEEPDREAM_PT_advanced(_Folded, bpy.types.Panel):
    bl_label = "Advanced"
    names = tuple(name for name in KNOBS if name not in _PLACED)


class DEEPDREAM_PT_history(_Folded, bpy.types.Panel):
    bl_label = "History"

    def draw(self, context: bpy.types.Context) -> None:
        layout, found = self.layout, history(context.scene, node.shown_group(context))
        if not found:
            layout.label(text="The last dreams of this node come here", icon="INFO")
            return
        grid = layout.grid_flow(row_major=True, columns=_COLUMNS, even_columns=True, even_rows=True, align=True)
        for one in found:
            cell = grid.column(align=True)
            cell.template_icon(icon_value=icon(one.picture), scale=3.6)
            cell.operator(DEEPDREAM_OT_restore_dream.bl_idname, text=one.title).name = one.name


class DEEPDREAM_PT_brains(BrainsPanel, _Folded, bpy.types.Panel):
    pass


def _begin(panel: bpy.types.Panel, context: bpy.types.Context) -> bpy.types.PropertyGroup:
    """The settings that a panel draws."""
    panel.layout.use_property_split = True
    return node.shown_group(context).deepdream


classes = (
    DEEPDREAM_PT_node,
    DEEPDREAM_PT_objective,
    DEEPDREAM_PT_regions,
    DEEPDREAM_PT_source,
    DEEPDREAM_PT_color,
    DEEPDREAM_PT_motion,
    DEEPDREAM_PT_advanced,
    DEEPDREAM_PT_history,
    DEEPDREAM_PT_brains,
)
