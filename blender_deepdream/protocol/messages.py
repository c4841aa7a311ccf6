# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream's request, progress and result as they cross the wire: frozen dataclasses, checked on the way in.

`jobs` has what surrounds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .errors import RequestError
from .follows import Follows
from .layers import LayerWeights
from .nothing import read_nothing
from .regions import WISHES, brains_named, check_wishes, read_regions, read_wish, settings_of, wish_to_json
from .settings import DreamSettings
from .wire import check_fields, check_flag, check_hash


class Depth(StrEnum):
    """How an image file holds a value: whole numbers of 8 or 16 bits, floats of 16 or 32."""

    INT8 = "8"
    INT16 = "16"
    HALF = "half"
    FLOAT = "float"

    @property
    def is_float(self) -> bool:
        return self in (Depth.HALF, Depth.FLOAT)


class ColorSpace(StrEnum):
    """What the numbers in an image file mean. AUTO: float files are Linear Rec.709, 8- and 16-bit ones sRGB."""

    AUTO = "auto"
    LINEAR_REC709 = "Linear Rec.709"
    LINEAR_REC2020 = "Linear Rec.2020"
    ACESCG = "ACEScg"
    SRGB = "sRGB"


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the image that dreams of its own.

    mask: blob of a grey image, stretched to the source's size: how much of a pixel is this region's. Regions share
    where they overlap; where there is none, the request's own layers dream. layers: empty for the request's.
    objective: None for the request's. guide: blob, if its objective needs another one than the request's.
    """

    mask: str
    layers: LayerWeights = ()
    objective: str | None = None
    guide: str | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return tuple(blob for blob in (self.mask, self.guide) if blob is not None)

    def settings(self, whole: DreamSettings) -> DreamSettings:
        """What is dreamed here, in an image of these settings. Raises SettingsError."""
        return settings_of(self, whole)

    def to_json(self) -> dict[str, Any]:
        return {"mask": self.mask} | wish_to_json(self)

    @classmethod
    def from_json(cls, data: object) -> Region:
        """Raises RequestError or SettingsError."""
        check_fields(data, "region", {"mask", *WISHES})
        assert isinstance(data, Mapping)
        return cls(check_hash(data.get("mask")), *read_wish(data))


@dataclass(frozen=True, slots=True)
class DreamRequest:
    """One image to dream.

    source: blob of an image file (EXR, PNG, JPEG, TIFF), RGB or RGBA or grey; or an image of nothing, by name: see
    `nothing`. mask: blob of a grey image, stretched to the source's size; 0 leaves a pixel as it is, 1 dreams it fully.
    color_space: of the source and of the result. guide: blob of an image of any size, for the objectives that need one,
    and for them only (else SettingsError). regions: parts that dream of their own, within the mask. follows: the frame
    before, if it holds on to one; keep: whether a frame after it shall be able to (`DreamResult.detail`).
    The result is a float EXR of the source's size, channels and colour space.
    """

    source: str
    settings: DreamSettings = field(default_factory=DreamSettings)
    mask: str | None = None
    color_space: ColorSpace = ColorSpace.AUTO
    guide: str | None = None
    regions: tuple[Region, ...] = ()
    follows: Follows | None = None
    keep: bool = False

    KIND = "dream"

    def __post_init__(self) -> None:
        check_wishes(self.settings, self.guide is not None, self.regions)

    @property
    def blobs(self) -> tuple[str, ...]:
        """All that must be on the server, each once."""
        source = self.source if read_nothing(self.source) is None else None
        own = (blob for blob in (source, self.mask, self.guide) if blob is not None)
        of_regions = (blob for region in self.regions for blob in region.blobs)
        return tuple(dict.fromkeys([*own, *of_regions, *(self.follows.blobs if self.follows else ())]))

    @property
    def brains(self) -> tuple[str, ...]:
        """The brains that these layers are of, by name, the settings' own first."""
        return brains_named(self.settings, self.regions)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.KIND,
            "source": self.source,
            "mask": self.mask,
            "guide": self.guide,
            "regions": [region.to_json() for region in self.regions],
            "follows": self.follows and self.follows.to_json(),
            "keep": self.keep,
            "color_space": str(self.color_space),
            "settings": self.settings.to_json(),
        }

    @classmethod
    def from_json(cls, data: object) -> DreamRequest:
        """Raises RequestError, SettingsError, or ImageError for an image of nothing without a size."""
        if not isinstance(data, Mapping) or data.get("kind") != cls.KIND:
            raise RequestError(f"A job is a JSON object whose kind is {cls.KIND!r}.")
        check_fields(data, "dream job", set(cls.__slots__) | {"kind"})
        mask, guide, follows = data.get("mask"), data.get("guide"), data.get("follows")
        try:
            space = ColorSpace(str(data.get("color_space", ColorSpace.AUTO)))
        except ValueError:
            raise RequestError(f"color_space must be one of: {', '.join(ColorSpace)}.") from None
        return cls(
            source=_check_source(data.get("source")),
            mask=None if mask is None else check_hash(mask),
            guide=None if guide is None else check_hash(guide),
            regions=read_regions(data.get("regions", []), Region.from_json),
            follows=None if follows is None else Follows.from_json(follows),
            keep=check_flag(data.get("keep", False), "keep"),
            color_space=space,
            settings=DreamSettings.from_json(data.get("settings", {})),
        )


def _check_source(value: object) -> str:
    return value if isinstance(value, str) and read_nothing(value) else check_hash(value)


@dataclass(frozen=True, slots=True)
class DreamResult:
    """A finished dream: the blob of its EXR, its size in pixels, and the seconds that the engine took.

    detail: blob of what it hands on to the frame after it, if that was to be kept.
    """

    image: str
    width: int
    height: int
    seconds: float
    detail: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.image,) if self.detail is None else (self.image, self.detail)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DreamResult:
        detail = data.get("detail")
        return cls(
            check_hash(data["image"]),
            int(data["width"]),
            int(data["height"]),
            float(data["seconds"]),
            None if detail is None else check_hash(detail),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a dream is. octave and step count from 1; value is the objective's; eta: seconds left, None if unknown."""

    octave: int
    octaves: int
    step: int
    steps: int
    value: float
    fraction: float
    eta: float | None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        eta = data.get("eta")
        return cls(
            octave=int(data["octave"]),
            octaves=int(data["octaves"]),
            step=int(data["step"]),
            steps=int(data["steps"]),
            value=float(data["value"]),
            fraction=float(data["fraction"]),
            eta=None if eta is None else float(eta),
        )
