# SPDX-License-Identifier: GPL-3.0-or-later
"""What regions have as Blender properties, those of nodes and those of surfaces: what they dream of."""

from __future__ import annotations

from typing import Any

import bpy

from ..protocol.settings import KNOBS, DreamSettings
from .knob_properties import choice_items

_BRAINS_OWN = "Empty: the brain's own choice"
SAME = "same"
"""The objective of a region that has none of its own."""


def wish_properties(whole: str) -> dict[str, Any]:
    """The annotations that say what a region dreams of. whole: what it is a part of, for people."""
    return {
        "layers": bpy.props.StringProperty(
            name="Layers", description=f"{KNOBS['layers'].help.removesuffix(_BRAINS_OWN)}Empty: as the {whole}"
        ),
        "objective": bpy.props.EnumProperty(
            name="Objective",
            description=KNOBS["objective"].help,
            items=[(SAME, f"As the {whole.title()}", ""), *choice_items(KNOBS["objective"].choices)],
        ),
        "guide": bpy.props.PointerProperty(type=bpy.types.Image, name="Guide", description=f"Empty: as the {whole}"),
    }


class Wishing:
    """Mixed into regions with `wish_properties`."""

    @property
    def own_objective(self) -> str | None:
        """None: the whole's."""
        return None if self.objective == SAME else self.objective

    def needs_guide(self, whole: bpy.types.PropertyGroup) -> bool:
        """Whether its objective, or the whole's where it has none of its own, looks at a guide image."""
        return DreamSettings().replace(objective=self.own_objective or whole.objective).needs_guide


class DeepDreamRegion(Wishing, bpy.types.PropertyGroup):
    """A part of a node's image that dreams of its own.

    socket: identifier of the node's input for its mask; what is linked there stands above the mask chosen here.
    """

    __annotations__ = {
        "socket": bpy.props.StringProperty(options={"HIDDEN"}),
        "mask": bpy.props.PointerProperty(
            type=bpy.types.Image,
            name="Mask",
            description="Grey image, stretched to the frame: white belongs to the region. Not looked at where "
            "something is linked to the region's input on the node",
        ),
        **wish_properties("node"),
    }


class DeepDreamSurfaceRegion(Wishing, bpy.types.PropertyGroup):
    """A part of the surfaces that dreams of its own."""

    __annotations__ = {
        "attribute": bpy.props.StringProperty(
            name="Painted",
            description="Colour attribute (Vertex Paint): white belongs to the region, on the objects that have it",
        ),
        "mask": bpy.props.PointerProperty(
            type=bpy.types.Image,
            name="Mask",
            description="Grey image on the objects' UV maps: white belongs to the region. Not looked at where a colour "
            "attribute is named",
        ),
        **wish_properties("rest"),
    }
