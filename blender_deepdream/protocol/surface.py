# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that dreams textures through many views of the surfaces they lie on, as it crosses the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .errors import RequestError, SettingsError
from .layers import LayerWeights
from .messages import ColorSpace, Depth
from .regions import WISHES, brains_named, check_wishes, read_regions, read_wish, settings_of, wish_to_json
from .settings import DEEPEST_RELIEF, KNOBS, NOT_ON_SURFACES, DreamSettings
from .wire import check_fields, check_hash

MAX_VIEWS, MAX_SHEETS = 512, 64
SURFACE_VERSION = "3"
"""Raised whenever the same request would come to other bits, and those of an image would not."""
SHEET_SIDES = (64, 8192)
"""Smallest and largest side of a texture in texels."""
DEPTHS = (Depth.INT8, Depth.HALF)


@dataclass(frozen=True, slots=True)
class View:
    """One camera's look at the surfaces, renders of one size.

    dark, light: blobs of RGBA images, scene-linear, premultiplied: what is seen if every texture is black, and white.
    facts: blob of a multilayer EXR of one sample a pixel with Blender's passes UV, Normal, Position and Material Index:
    the number of the sheet that a pixel lies on, from 1, or 0 for none. eye: where the camera stands, in world space.
    behind: blob of an image of all else, scene-linear, which is seen where dark and light are transparent; None: grey.
    """

    dark: str
    light: str
    facts: str
    eye: tuple[float, float, float]
    behind: str | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return tuple(blob for blob in (self.dark, self.light, self.facts, self.behind) if blob)

    def to_json(self) -> dict[str, Any]:
        pictures = {"dark": self.dark, "light": self.light, "facts": self.facts, "behind": self.behind}
        return pictures | {"eye": list(self.eye)}

    @classmethod
    def from_json(cls, data: object) -> View:
        """Raises RequestError."""
        check_fields(data, "view", set(cls.__slots__))
        assert isinstance(data, Mapping)
        dark, light, facts = (check_hash(data.get(name)) for name in ("dark", "light", "facts"))
        behind = data.get("behind")
        return cls(dark, light, facts, _place(data.get("eye")), None if behind is None else check_hash(behind))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One texture. base: blob of a square RGBA image, the texture as it is: alpha is 0 where no surface lies.

    side: of the result in texels. mask: blob of a square image, how strongly to dream: black not at all, white fully.
    """

    base: str
    side: int
    mask: str | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.base, self.mask) if self.mask else (self.base,)

    def to_json(self) -> dict[str, Any]:
        return {"base": self.base, "side": self.side, "mask": self.mask}

    @classmethod
    def from_json(cls, data: object) -> Sheet:
        """Raises RequestError."""
        check_fields(data, "sheet", set(cls.__slots__))
        assert isinstance(data, Mapping)
        side, (low, high) = data.get("side"), SHEET_SIDES
        if not isinstance(side, int) or isinstance(side, bool) or not low <= side <= high:
            raise RequestError(f"A sheet's side must be a whole number from {low} to {high}.")
        mask = data.get("mask")
        return cls(check_hash(data.get("base")), side, None if mask is None else check_hash(mask))


@dataclass(frozen=True, slots=True)
class SurfaceRegion:
    """A part of the surfaces that dreams of its own.

    masks: blob of a square image for each sheet, in their order: how much of a texel is this region's. Regions share
    where they overlap; where there is none, the request's own layers dream. layers, objective, guide: as in a `Wish`.
    """

    masks: tuple[str, ...]
    layers: LayerWeights = ()
    objective: str | None = None
    guide: str | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (*self.masks, self.guide) if self.guide else self.masks

    def settings(self, whole: DreamSettings) -> DreamSettings:
        """What is dreamed here, where the rest has these settings. Raises SettingsError."""
        return settings_of(self, whole)

    def to_json(self) -> dict[str, Any]:
        return {"masks": list(self.masks)} | wish_to_json(self)

    @classmethod
    def from_json(cls, data: object) -> SurfaceRegion:
        """Raises RequestError, SettingsError."""
        check_fields(data, "region", {"masks", *WISHES})
        assert isinstance(data, Mapping)
        masks = data.get("masks")
        if not isinstance(masks, list) or len(masks) > MAX_SHEETS:
            raise RequestError(f"A region's masks must be a list of at most {MAX_SHEETS}, one for each sheet.")
        return cls(tuple(map(check_hash, masks)), *read_wish(data))


@dataclass(frozen=True, slots=True)
class SurfaceRequest:
    """Textures to dream.

    color_space: of the views and the sheets. guide: as in a DreamRequest. depth: of the results: INT8 for sRGB PNGs,
    HALF for EXRs in `color_space`. regions: parts that dream of their own, within the sheets' masks. relief: how deep a
    relief is dreamed, too, in the light of the views; 0: none. settings: those that mean nothing to a texture
    (NOT_ON_SURFACES) are refused.
    """

    views: tuple[View, ...]
    sheets: tuple[Sheet, ...]
    settings: DreamSettings = field(default_factory=DreamSettings)
    color_space: ColorSpace = ColorSpace.LINEAR_REC709
    guide: str | None = None
    depth: Depth = Depth.INT8
    regions: tuple[SurfaceRegion, ...] = ()
    relief: float = 0.0

    KIND: ClassVar[str] = "surface"

    def __post_init__(self) -> None:
        check_wishes(self.settings, self.guide is not None, self.regions)
        _check_meant(self.settings)
        if any(len(region.masks) != len(self.sheets) for region in self.regions):
            raise RequestError(f"A region must have a mask for each of the {len(self.sheets)} sheets.")

    @property
    def blobs(self) -> tuple[str, ...]:
        """All that must be on the server, each once."""
        views, sheets, regions = (
            [blob for part in parts for blob in part.blobs] for parts in (self.views, self.sheets, self.regions)
        )
        return tuple(dict.fromkeys([*views, *sheets, *regions, *([self.guide] if self.guide else [])]))

    @property
    def brains(self) -> tuple[str, ...]:
        """The brains that these layers are of, by name, the settings' own first."""
        return brains_named(self.settings, self.regions)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.KIND,
            "views": [view.to_json() for view in self.views],
            "sheets": [sheet.to_json() for sheet in self.sheets],
            "settings": self.settings.to_json(),
            "color_space": str(self.color_space),
            "guide": self.guide,
            "depth": str(self.depth),
            "regions": [region.to_json() for region in self.regions],
            "relief": self.relief,
        }

    @classmethod
    def from_json(cls, data: object) -> SurfaceRequest:
        """Raises RequestError, SettingsError."""
        check_fields(data, "surface job", {"kind", *cls.__slots__})
        assert isinstance(data, Mapping)
        views, sheets, guide = data.get("views"), data.get("sheets"), data.get("guide")
        if not isinstance(views, list) or not 0 < len(views) <= MAX_VIEWS:
            raise RequestError(f"views must be a list of 1 to {MAX_VIEWS} views.")
        if not isinstance(sheets, list) or not 0 < len(sheets) <= MAX_SHEETS:
            raise RequestError(f"sheets must be a list of 1 to {MAX_SHEETS} sheets.")
        return cls(
            views=tuple(map(View.from_json, views)),
            sheets=tuple(map(Sheet.from_json, sheets)),
            settings=DreamSettings.from_json(data.get("settings", {})),
            color_space=_color_space(data.get("color_space", ColorSpace.LINEAR_REC709)),
            guide=None if guide is None else check_hash(guide),
            depth=_depth(data.get("depth", Depth.INT8)),
            regions=read_regions(data.get("regions", []), SurfaceRegion.from_json),
            relief=_depth_of_relief(data.get("relief", 0.0)),
        )


@dataclass(frozen=True, slots=True)
class SurfaceResult:
    """textures: blob of each sheet's image. coverage: of the surfaces' texels, the share that some view has seen.
    reliefs: if one was wanted, blob of each sheet's heights, a grey half-float EXR in world units."""

    textures: tuple[str, ...]
    coverage: float
    seconds: float
    reliefs: tuple[str, ...] = ()

    @property
    def blobs(self) -> tuple[str, ...]:
        return (*self.textures, *self.reliefs)

    def to_json(self) -> dict[str, Any]:
        blobs = {"textures": list(self.textures), "reliefs": list(self.reliefs)}
        return blobs | {"coverage": self.coverage, "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SurfaceResult:
        textures, reliefs = (tuple(map(check_hash, blobs)) for blobs in (data["textures"], data.get("reliefs", ())))
        return cls(textures, float(data["coverage"]), float(data["seconds"]), reliefs)


def _check_meant(settings: DreamSettings) -> None:
    """Raises SettingsError for settings that mean nothing to a texture."""
    for name, reason in NOT_ON_SURFACES.items():
        if getattr(settings, name) != KNOBS[name].default:
            raise SettingsError(f"{name} means nothing to a surface: {reason}.", f"Leave {name} as it is.")


def _place(value: object) -> tuple[float, float, float]:
    numbers = [float(number) for number in value if isinstance(number, (int, float))] if isinstance(value, list) else []
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise RequestError("eye must be a list of three numbers.")
    x, y, z = numbers
    return x, y, z


def _depth_of_relief(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= DEEPEST_RELIEF:
        raise RequestError(f"relief must be a number from 0 to {DEEPEST_RELIEF}.")
    return float(value)


def _color_space(value: object) -> ColorSpace:
    linear = [space for space in ColorSpace if space not in (ColorSpace.AUTO, ColorSpace.SRGB)]
    if value not in linear:
        raise RequestError(f"color_space must be one of: {', '.join(linear)}.")
    return ColorSpace(str(value))


def _depth(value: object) -> Depth:
    if value not in DEPTHS:
        raise RequestError(f"depth must be one of: {', '.join(DEPTHS)}.")
    return Depth(str(value))
