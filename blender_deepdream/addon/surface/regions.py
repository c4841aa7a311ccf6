# SPDX-License-Identifier: GPL-3.0-or-later
"""Where on the surfaces something is, and parts of them that dream of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...protocol import messages as protocol
from ...protocol.errors import InputError, SceneError
from ...protocol.layers import LayerWeights
from ...protocol.settings import DreamSettings
from ...protocol.surface import SurfaceRegion
from ..changes import file_hash
from .targets import Plan, find_object


@dataclass(frozen=True)
class Mask:
    """A colour attribute by its name; or, without one, an image file, as it lies on the UV map that renders use."""

    attribute: str = ""
    image: Path | None = None

    @property
    def facts(self) -> str:
        """What tells it from others. What an attribute holds is a part of the mesh."""
        return f"attribute {self.attribute}" if self.image is None else f"image {file_hash(self.image)}"


@dataclass(frozen=True)
class Region:
    """layers: empty for the whole's. objective: None for the whole's. guide: an image file."""

    mask: Mask
    layers: LayerWeights = ()
    objective: str | None = None
    guide: Path | None = None

    def needs_a_guide(self, whole: DreamSettings) -> bool:
        """Whether the guide of the whole is to be there for it."""
        return self.guide is None and self.to_wire((), None).settings(whole).needs_guide

    def to_wire(self, masks: Sequence[str], guide: str | None) -> SurfaceRegion:
        """masks, guide: blobs."""
        return SurfaceRegion(tuple(masks), self.layers, self.objective, guide)


def typed_region(typed: protocol.Region, plan: Plan) -> Region:
    """A region as `parse_regions` reads it. Raises InputError."""
    guide = Path(typed.guide) if typed.guide else None
    return Region(_typed_mask(typed.mask, plan), typed.layers, typed.objective, guide)


def _typed_mask(word: str, plan: Plan) -> Mask:
    """A colour attribute of any of the objects, or a file."""
    if any(word in find_object(target.uid).data.color_attributes for target in plan.targets):
        return Mask(word)
    path = Path(word)
    if not path.is_file():
        raise InputError(
            f"A region's mask is {word!r}, and there is no such file, nor has any object such a colour attribute.",
            "Paint one (Vertex Paint), or name a grey image.",
        )
    return Mask(image=path.resolve())


def check_mask(mask: Mask, number: int, plan: Plan) -> None:
    """number: of the region, from 1. Raises SceneError where its mask has no place on the objects."""
    meshes = [find_object(target.uid).data for target in plan.targets]
    if not mask.attribute and mask.image is None:
        raise SceneError(f"Region {number} needs a mask.", "Name a colour attribute, or choose a grey image.")
    if mask.attribute and not any(mask.attribute in mesh.color_attributes for mesh in meshes):
        raise SceneError(
            f"Region {number} is painted as {mask.attribute!r}, and no object has such a colour attribute.",
            "Paint it (Vertex Paint), or choose another one.",
        )
    bare = next((mesh for mesh in meshes if not mesh.uv_layers), None)
    if mask.image and bare:
        raise SceneError(
            f"The mask of region {number} is an image, and {bare.name!r} has no UV map for it to lie on.",
            "Unwrap it, or paint a colour attribute instead.",
        )


def load_mask(mask: Mask) -> bpy.types.Image | None:
    """Its image, whose numbers are taken as they are. Raises SceneError."""
    if mask.image is None:
        return None
    try:
        image = bpy.data.images.load(str(mask.image))
    except RuntimeError as error:
        raise SceneError(f"The mask {mask.image} cannot be read: {str(error).strip()}") from error
    if not len(image.pixels):  # Blender shows a file that it does not know as a colour
        bpy.data.images.remove(image)
        raise SceneError(f"The mask {mask.image} is no image, or damaged.", "Choose one that Blender shows.")
    image.colorspace_settings.name, image.alpha_mode = "Non-Color", "NONE"
    return image
