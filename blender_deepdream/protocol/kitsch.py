# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that tells what a classifier sees in images, and how far they lie apart, as it crosses the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import RequestError
from .wire import check_fields, check_hash, check_name

MAX_IMAGES = 256
YARDSTICK_BRAIN = "lite0"
"""Whose dreams distances are compared with."""


@dataclass(frozen=True, slots=True)
class KitschRequest:
    """images: blobs of image files, each once. brain: one that knows ImageNet's classes."""

    images: tuple[str, ...]
    brain: str = YARDSTICK_BRAIN

    KIND: ClassVar[str] = "kitsch"

    @property
    def blobs(self) -> tuple[str, ...]:
        return self.images

    @property
    def brains(self) -> tuple[str, ...]:
        """Those that the answer depends on: distances are measured beside those of another brain's dreams."""
        return tuple(dict.fromkeys([self.brain, *([YARDSTICK_BRAIN] if len(self.images) > 1 else [])]))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.KIND, "images": list(self.images), "brain": self.brain}

    @classmethod
    def from_json(cls, data: object) -> KitschRequest:
        """Raises RequestError."""
        check_fields(data, "kitsch job", {"kind", *cls.__slots__})
        assert isinstance(data, Mapping)
        images, brain = data.get("images"), data.get("brain", YARDSTICK_BRAIN)
        if not isinstance(images, list) or not 0 < len(images) <= MAX_IMAGES:
            raise RequestError(f"images must be a list of 1 to {MAX_IMAGES} blobs.")
        return cls(tuple(dict.fromkeys(map(check_hash, images))), check_name(brain, "brain"))


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen in one image: the likeliest classes and all families, each with its share, largest first."""

    image: str
    classes: tuple[tuple[str, float], ...]
    families: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class KitschResult:
    """seen: of each image. distance: how far they lie apart on average, 0 to 2; same_layer, other_layer: that of one
    layer's dreams of two sources, and of two layers' of one. All three None for one image alone."""

    seen: tuple[Seen, ...]
    distance: float | None
    same_layer: float | None
    other_layer: float | None
    seconds: float

    @property
    def blobs(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in self.__slots__ if name != "seen"}
        seen = [
            {"image": one.image, "classes": _pairs(one.classes), "families": _pairs(one.families)} for one in self.seen
        ]
        return numbers | {"seen": seen}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KitschResult:
        seen = tuple(
            Seen(check_hash(one["image"]), _shares(one["classes"]), _shares(one["families"])) for one in data["seen"]
        )
        distance, same, other = (_number(data[name]) for name in ("distance", "same_layer", "other_layer"))
        return cls(seen, distance, same, other, float(data["seconds"]))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _shares(pairs: list[Any]) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), float(share)) for name, share in pairs)


def _pairs(shares: tuple[tuple[str, float], ...]) -> list[list[Any]]:
    return [list(pair) for pair in shares]
