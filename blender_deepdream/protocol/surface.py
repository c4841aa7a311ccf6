# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that dreams textures through many views of the surfaces they lie on, as it crosses the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .errors import RequestError, SettingsError
from .layers import read_choice
from .messages import ColorSpace, Depth
from .settings import DreamSettings, check_direction, check_guide
from .wire import check_fields, check_hash

MAX_VIEWS, MAX_SHEETS = 512, 64
SHEET_SIDES = (64, 8192)
"""Smallest and largest side of a texture in texels."""
DEPTHS = (Depth.INT8, Depth.HALF)


@dataclass(frozen=True, slots=True)
class View:
    """One camera's look at the surfaces, three renders of one size.

    dark, light: blobs of RGBA images, scene-linear, premultiplied: what is seen if every texture is black, and white.
    facts: blob of a multilayer EXR of one sample a pixel with Blender's passes UV, Normal, Position and Material Index:
    the number of the sheet that a pixel lies on, from 1, or 0 for none. eye: where the camera stands, in world space.
    """

    dark: str
    light: str
    facts: str
    eye: tuple[float, float, float]

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.dark, self.light, self.facts)

    def to_json(self) -> dict[str, Any]:
        return {"dark": self.dark, "light": self.light, "facts": self.facts, "eye": list(self.eye)}

    @classmethod
    def from_json(cls, data: object) -> View:
        """Raises RequestError."""
        check_fields(data, "view", set(cls.__slots__))
        assert isinstance(data, Mapping)
        dark, light, facts = (check_hash(data.get(name)) for name in ("dark", "light", "facts"))
        return cls(dark, light, facts, _place(data.get("eye")))


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
class SurfaceRequest:
    """Textures to dream.

    color_space: of the views and the sheets. guide: as in a DreamRequest. depth: of the results: INT8 for sRGB PNGs,
    HALF for EXRs in `color_space`. settings: what moves or repeats an image is refused, for a surface does neither.
    """

    views: tuple[View, ...]
    sheets: tuple[Sheet, ...]
    settings: DreamSettings = field(default_factory=DreamSettings)
    color_space: ColorSpace = ColorSpace.LINEAR_REC709
    guide: str | None = None
    depth: Depth = Depth.INT8

    KIND: ClassVar[str] = "surface"

    def __post_init__(self) -> None:
        check_guide(self.settings, self.guide is not None)
        check_direction(self.settings)
        if self.settings.moves or self.settings.seamless != "no":
            raise SettingsError(
                "A surface does not move before it dreams, and needs no seamless sides.",
                "Leave zoom, rotate, shift_x, shift_y and seamless as they are.",
            )

    @property
    def blobs(self) -> tuple[str, ...]:
        """All that must be on the server, each once."""
        views = (blob for view in self.views for blob in view.blobs)
        guide = (self.guide,) if self.guide else ()
        sheets = (blob for sheet in self.sheets for blob in sheet.blobs)
        return tuple(dict.fromkeys([*views, *sheets, *guide]))

    @property
    def brains(self) -> tuple[str, ...]:
        """The brains that these layers are of, by name, the settings' own first."""
        own = self.settings.brain
        return tuple(dict.fromkeys([own, *(read_choice(name).brain or own for name, _ in self.settings.layers)]))

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.KIND,
            "views": [view.to_json() for view in self.views],
            "sheets": [sheet.to_json() for sheet in self.sheets],
            "settings": self.settings.to_json(),
            "color_space": str(self.color_space),
            "guide": self.guide,
            "depth": str(self.depth),
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
        )


@dataclass(frozen=True, slots=True)
class SurfaceResult:
    """textures: blob of each sheet's image. coverage: of the surfaces' texels, the share that some view has seen."""

    textures: tuple[str, ...]
    coverage: float
    seconds: float

    @property
    def blobs(self) -> tuple[str, ...]:
        return self.textures

    def to_json(self) -> dict[str, Any]:
        return {"textures": list(self.textures), "coverage": self.coverage, "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SurfaceResult:
        return cls(tuple(map(check_hash, data["textures"])), float(data["coverage"]), float(data["seconds"]))


def _place(value: object) -> tuple[float, float, float]:
    numbers = [float(number) for number in value if isinstance(number, (int, float))] if isinstance(value, list) else []
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise RequestError("eye must be a list of three numbers.")
    x, y, z = numbers
    return x, y, z


def _color_space(value: object) -> ColorSpace:
    linear = [space for space in ColorSpace if space not in (ColorSpace.AUTO, ColorSpace.SRGB)]
    if value not in linear:
        raise RequestError(f"color_space must be one of: {', '.join(linear)}.")
    return ColorSpace(str(value))


def _depth(value: object) -> Depth:
    if value not in DEPTHS:
        raise RequestError(f"depth must be one of: {', '.join(DEPTHS)}.")
    return Depth(str(value))
