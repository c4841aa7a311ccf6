# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that dreams an atlas, as it crosses the wire: a picture of each of a brain's layers, all from one source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import RequestError
from .nothing import KINDS
from .wire import check_fields, check_hash, check_name

MAX_CELLS = 512
CELL_SIDES = (32, 1024)
"""Smallest and largest side of a picture in pixels."""


@dataclass(frozen=True, slots=True)
class AtlasRequest:
    """What shall be on the sheet.

    layers: those to show, as `DreamSettings.layers` names them; none: all, early to late. channels: of the one layer
    that is named, show so many of its channels, the strongest first. source: an image of nothing by its kind, or the
    blob of an image. side: of each picture in pixels.
    """

    brain: str
    layers: tuple[str, ...] = ()
    channels: int | None = None
    source: str = "dusk"
    side: int = 192

    KIND: ClassVar[str] = "atlas"

    @property
    def brains(self) -> tuple[str, ...]:
        return (self.brain,)

    @property
    def blobs(self) -> tuple[str, ...]:
        return () if self.source in KINDS else (self.source,)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.KIND,
            "brain": self.brain,
            "layers": list(self.layers),
            "channels": self.channels,
            "source": self.source,
            "side": self.side,
        }

    @classmethod
    def from_json(cls, data: object) -> AtlasRequest:
        """Raises RequestError."""
        check_fields(data, "atlas job", {"kind", *cls.__slots__})
        assert isinstance(data, Mapping)
        channels, source = data.get("channels"), data.get("source", "dusk")
        return cls(
            brain=check_name(data.get("brain"), "brain"),
            layers=_names(data.get("layers", [])),
            channels=None if channels is None else _whole(channels, "channels", 1, MAX_CELLS),
            source=source if isinstance(source, str) and source in KINDS else check_hash(source),
            side=_whole(data.get("side", 192), "side", *CELL_SIDES),
        )


@dataclass(frozen=True, slots=True)
class AtlasResult:
    """A finished atlas: the blob of the sheet, a PNG, and of each layer's picture, a JPEG, by what dreams in it."""

    sheet: str
    pictures: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.sheet, *(blob for _, blob in self.pictures))

    def to_json(self) -> dict[str, Any]:
        return {"sheet": self.sheet, "pictures": [list(pair) for pair in self.pictures], "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AtlasResult:
        pictures = tuple((str(layer), check_hash(blob)) for layer, blob in data["pictures"])
        return cls(check_hash(data["sheet"]), pictures, float(data["seconds"]))


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_CELLS:
        raise RequestError(f"layers must be a list of at most {MAX_CELLS} names.")
    return tuple(check_name(layer, "layer") for layer in value)


def _whole(value: object, what: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"{what} must be a whole number from {low} to {high}.")
    return value
