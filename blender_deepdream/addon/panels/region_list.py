# SPDX-License-Identifier: GPL-3.0-or-later
"""The regions of a node or of surfaces: a list with buttons beside it, and what the chosen one dreams of."""

from __future__ import annotations

import bpy

from ..languages import shown

_RESTS = "The rest's layers"


class DEEPDREAM_UL_regions(bpy.types.UIList):
    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _settings: bpy.types.PropertyGroup,
        region: bpy.types.PropertyGroup,
        _icon: int,
        _owner: bpy.types.PropertyGroup,
        _name: str,
        index: int,
    ) -> None:
        row = layout.row(align=True)
        row.use_property_split = False
        row.label(text=f"{index + 1}", icon="MOD_MASK")
        row.prop(region, "layers", text="", emboss=False, placeholder=_RESTS)


def draw_list(
    layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, add: str, remove: str
) -> bpy.types.PropertyGroup | None:
    """The list, and the region that is chosen in it. add, remove: operators."""
    row = layout.row()
    row.template_list("DEEPDREAM_UL_regions", "", settings, "regions", settings, "region", rows=2)
    buttons = row.column(align=True)
    buttons.operator(add, text="", icon="ADD")
    buttons.operator(remove, text="", icon="REMOVE")
    return settings.regions[settings.region] if settings.region < len(settings.regions) else None


def draw_wish(
    layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, region: bpy.types.PropertyGroup, whole: str
) -> None:
    """What a region dreams of. whole: whose guide it has if it has none of its own."""
    layout.prop(region, "layers", placeholder=_RESTS)
    layout.prop(region, "objective")
    if region.needs_guide(settings):
        layout.label(text=shown(f"Guide, if not the {whole}'s:"))
        layout.template_ID(region, "guide", open="image.open")


classes = (DEEPDREAM_UL_regions,)
