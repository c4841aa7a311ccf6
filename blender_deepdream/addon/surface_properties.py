# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a dream of surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import bpy

from ..protocol.errors import SceneError
from ..protocol.knob import Knob
from ..protocol.layers import parse_layers
from ..protocol.settings import DEEPEST_RELIEF, KNOBS, NOT_ON_SURFACES
from .cache import Cache, make_folder
from .dream_properties import Dreamable, dream_properties
from .image_files import image_file
from .region_properties import DeepDreamSurfaceRegion
from .surface.choices import OWN_CAMERA, WHOLE

if TYPE_CHECKING:
    from ..protocol import messages as protocol
    from ..protocol.client import DreamClient
    from .surface.job import SurfaceJob
    from .surface.regions import Region
    from .surface.shots import Cameras

SURFACE_KNOBS = tuple(name for name in KNOBS if name not in NOT_ON_SURFACES)
"""The knobs that mean something to a texture."""
_BOLDER = {"steps": 15, "step_size": 0.014}
"""What is more than for an image: a step shows the network a part of the views only, and they do not quite agree."""


def _knob(name: str) -> Knob:
    return replace(KNOBS[name], default=_BOLDER.get(name, KNOBS[name].default))


def _choice(name: str, *choices: tuple[str, str, str]) -> Any:
    return bpy.props.EnumProperty(name=name, items=choices)


class DeepDreamSurfaceSettings(Dreamable, bpy.types.PropertyGroup):
    """Stored on the scene. The knobs are those of `protocol.settings`. region: the one shown, by its place."""

    knobs = SURFACE_KNOBS

    __annotations__ = {
        **dream_properties(_knob(name) for name in SURFACE_KNOBS),
        "size": bpy.props.IntProperty(
            name="Texture Size",
            description="Side of the textures",
            default=1024,
            min=64,
            max=8192,
            soft_min=512,
            subtype="PIXEL",
        ),
        "views": bpy.props.IntProperty(
            name="Views", description="Cameras around the objects", default=36, min=4, max=512, soft_max=128
        ),
        "side": bpy.props.IntProperty(
            name="View Size",
            description="Side of each camera's picture: larger ones dream finer things and take more time",
            default=384,
            min=64,
            max=2048,
            soft_max=1024,
            subtype="PIXEL",
        ),
        "moments": bpy.props.IntProperty(
            name="Frames",
            description="Frames that views are taken at, evenly over the scene's range: for what bends",
            default=1,
            min=1,
            max=512,
            soft_max=24,
        ),
        "samples": bpy.props.IntProperty(
            name="Samples", description="Of each pixel of a view", default=8, min=1, max=1024, soft_max=64
        ),
        "spread": _choice(
            "From",
            ("SPHERE", "All Sides", "From all around, below included"),
            ("HEMISPHERE", "Above", "From all around and above: for things that stand on a ground"),
            (
                OWN_CAMERA,
                "Scene's Camera",
                "As the scene's camera goes in its range of frames: only what it sees dreams",
            ),
        ),
        "light": _choice(
            "Light",
            ("STUDIO", "Studio", "Even light from everywhere, and some from beside the camera"),
            ("SCENE", "Scene", "The scene's own lights and world"),
            (WHOLE, "Whole Scene", "The scene's lights and world, its other objects around and behind, too"),
        ),
        "uvs": _choice(
            "UVs",
            ("AUTO", "Automatic", "The artist's, or new ones where they are missing or lie over themselves"),
            ("ARTIST", "As They Are", "The artist's: what shares a place in them dreams the same"),
            ("OWN", "New", "A new UV map for the dream"),
        ),
        "regions": bpy.props.CollectionProperty(type=DeepDreamSurfaceRegion),
        "region": bpy.props.IntProperty(options={"HIDDEN"}),
        "mask": bpy.props.StringProperty(
            name="Mask", description="Colour attribute (Vertex Paint) that says where and how strongly to dream"
        ),
        "depth": _choice("Depth", ("8", "8 Bit", "sRGB, PNG"), ("half", "Float", "Scene-linear, 16-bit float, EXR")),
        "relief": bpy.props.FloatProperty(
            name="Relief",
            description="How deep a relief is dreamed under the colors: bumps in the light, or real ones where the "
            "material's Displacement says so; 0: none",
            min=0,
            max=DEEPEST_RELIEF,
            soft_max=2,
        ),
        "again": bpy.props.BoolProperty(
            name="Render Again", description="Render views again even where those in the cache are still good"
        ),
    }

    def to_job(
        self,
        scene: bpy.types.Scene,
        objects: Iterable[bpy.types.Object],
        cache: Cache,
        connect: Callable[[], DreamClient],
        *,
        changes: Mapping[str, Any] = MappingProxyType({}),
        guide: Path | None = None,
        typed: Sequence[protocol.Region] = (),
    ) -> SurfaceJob:
        """What is asked for. changes, guide, typed: what stands above the settings, regions as `parse_regions` reads
        them. Raises SceneError, SettingsError, InputError."""
        from ..protocol.messages import Depth
        from .surface.job import SurfaceJob
        from .surface.photographs import Album
        from .surface.regions import Mask, check_mask, typed_region
        from .surface.targets import make_plan

        dream = self.to_settings().replace(**changes)
        plan = make_plan(objects, self.uvs, self.mask)
        regions = [typed_region(one, plan) for one in typed] or [self._region(one, cache) for one in self.regions]
        for number, region in enumerate(regions, 1):
            check_mask(region.mask, number, plan)
        if guide is None and (dream.needs_guide or any(region.needs_a_guide(dream) for region in regions)):
            guide = self._guide_file(cache)
        mask, masks = Mask(self.mask) if self.mask else None, tuple(region.mask for region in regions)
        album = Album(plan, cache, self._cameras, self.size, self.again, mask, masks)
        return SurfaceJob(scene, album, connect, dream, Depth(self.depth), guide, tuple(regions), self.relief)

    @property
    def _cameras(self) -> Cameras:
        from .surface.shots import Cameras

        return Cameras(self.views, self.spread, self.side, self.samples, self.light, self.moments)

    def _guide_file(self, cache: Cache) -> Path:
        if self.guide is None:
            raise SceneError("The objective needs a guide image, and none is chosen.", "Choose one in the panel.")
        return _chosen(self.guide, cache)

    def _region(self, entry: bpy.types.PropertyGroup, cache: Cache) -> Region:
        """entry: of the list. An image that is not looked at is no harm."""
        from .surface.regions import Mask, Region

        mask = Mask(entry.attribute, _chosen(entry.mask, cache) if entry.mask and not entry.attribute else None)
        guide = _chosen(entry.guide, cache) if entry.guide and entry.needs_guide(self) else None
        return Region(mask, parse_layers(entry.layers), entry.own_objective, guide)


def _chosen(image: bpy.types.Image, cache: Cache) -> Path:
    """The file of an image that was chosen. Not among the files on their way: a dream of images that is begun meanwhile
    clears those."""
    return image_file(image, make_folder(cache.root / "surface" / "images"))
