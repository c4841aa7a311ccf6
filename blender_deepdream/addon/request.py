# SPDX-License-Identifier: GPL-3.0-or-later
"""From a node's settings and what it sees to what is asked of the dreamer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..protocol.errors import SceneError
from ..protocol.layers import parse_layers
from ..protocol.messages import ColorSpace, DreamRequest, Region
from ..protocol.settings import DreamSettings
from . import compat
from .changes import file_hash
from .image_files import image_file
from .sight import Files, Sight


@dataclass(frozen=True)
class Wishes:
    """What stands above all nodes' own settings, guides and regions in a run; images by the paths of their files."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    guide: Path | None = None
    regions: tuple[Region, ...] = ()


def make_request(
    node: bpy.types.PropertyGroup, sight: Sight, frame: int, wishes: Wishes, folder: Path
) -> tuple[DreamRequest, Files]:
    """The request, and where the guides and masks lie that it names.

    node: its settings, as they are at this frame. folder: takes images that have no file of their own.
    Raises SceneError, SettingsError.
    """
    files: Files = {}

    def blob(path: Path) -> str:
        name = file_hash(path)
        files[name] = path
        return name

    settings = _at_frame(node, sight, frame, wishes)
    regions = _typed(wishes.regions, blob) if wishes.regions else _own(node, settings, sight, folder, blob)
    guide = None
    if settings.needs_guide or any(region.settings(settings).needs_guide and not region.guide for region in regions):
        guide = blob(wishes.guide or _file(node.guide, folder, "The objective needs a guide image"))
    request = DreamRequest(
        _source(node, sight),
        settings,
        sight.mask,
        working_color_space(),
        guide,
        regions,
        follows=sight.follows,
        keep=is_coherent(node, wishes),
    )
    return request, files


def is_coherent(node: bpy.types.PropertyGroup, wishes: Wishes) -> bool:
    """Whether a frame holds on to the dream of the one before, as things move."""
    coherence = wishes.settings.get("coherence", node.coherence)
    return bool(coherence) and not node.endless and node.source == "image"


def _at_frame(node: bpy.types.PropertyGroup, sight: Sight, frame: int, wishes: Wishes) -> DreamSettings:
    settings: DreamSettings = node.to_settings().replace(**wishes.settings)
    return settings.in_zoom(frame, first=not sight.before) if node.endless else settings


def _source(node: bpy.types.PropertyGroup, sight: Sight) -> str:
    if sight.before:
        return sight.before
    if node.source == "image":
        return sight.image
    width, height = sight.size or (1, 1)  # an old record knows none, and was made from an image
    return f"{node.source}:{width}x{height}"


def _typed(regions: tuple[Region, ...], blob: Callable[[Path], str]) -> tuple[Region, ...]:
    return tuple(
        Region(
            blob(Path(region.mask)),
            region.layers,
            region.objective,
            blob(Path(region.guide)) if region.guide else None,
        )
        for region in regions
    )


def _own(
    node: bpy.types.PropertyGroup, whole: DreamSettings, sight: Sight, folder: Path, blob: Callable[[Path], str]
) -> tuple[Region, ...]:
    """The regions of the node's list."""
    regions = []
    for number, entry in enumerate(node.regions, 1):
        mask = sight.regions.get(entry.socket) or blob(_file(entry.mask, folder, f"Region {number} needs a mask"))
        region = Region(mask, parse_layers(entry.layers, node.fade), entry.own_objective)
        if entry.guide and region.settings(whole).needs_guide:
            region = Region(mask, region.layers, region.objective, blob(image_file(entry.guide, folder)))
        regions.append(region)
    return tuple(regions)


def _file(image: bpy.types.Image | None, folder: Path, need: str) -> Path:
    if image is None:
        raise SceneError(f"{need}, and none is chosen.", "Choose one in the node's panel.")
    return image_file(image, folder)


def working_color_space() -> ColorSpace:
    """The space that captures and float images are in. Raises SceneError for one that the dreamer does not know."""
    name = compat.working_space()
    try:
        return ColorSpace(name)
    except ValueError:
        known = ", ".join(space for space in ColorSpace if space not in (ColorSpace.AUTO, ColorSpace.SRGB))
        raise SceneError(f"Scenes in the working space {name!r} cannot dream.", f"Choose one of: {known}.") from None
