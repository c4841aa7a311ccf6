# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream's request, progress and result, and a brain's description, as they cross the wire: frozen dataclasses,
checked on the way in. `jobs` has what surrounds them.

Blobs (images, results) are named by the SHA-256 of their bytes, in lower-case hex.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .errors import RequestError, SettingsError
from .layers import LayerWeights, read_choice
from .nothing import read_nothing
from .settings import KNOBS, DreamSettings, check_direction, check_guide

PROTOCOL_VERSION = 1
"""Raised whenever an older client or server would misread the other. Sent in `PROTOCOL_HEADER` and in /v1/health."""

PROTOCOL_HEADER = "DeepDream-Protocol"
CLIENT_HEADER = "DeepDream-Client"
"""Names who wants a job (any text of up to 64 letters, digits and dashes), so that one client's cancel does not take
the job away from another."""

MAX_BLOB_BYTES = 2 * 2**30
MAX_REQUEST_BYTES = 2**20
MAX_REGIONS = 16
MAX_TURN = 1e6

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLIENT = re.compile(r"[0-9A-Za-z-]{1,64}")


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


def content_hash(data: bytes) -> str:
    """The name of these bytes: SHA-256, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def canonical_hash(data: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON object, whatever the order of its keys."""
    return content_hash(json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())


def check_hash(value: object) -> str:
    """The value if it is a SHA-256 in lower-case hex. Raises RequestError."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise RequestError("A blob or job is named by 64 lower-case hexadecimal digits, its SHA-256.")
    return value


def check_client(value: object) -> str:
    """The value if it can name a client. Raises RequestError."""
    if not isinstance(value, str) or not _CLIENT.fullmatch(value):
        raise RequestError(f"{CLIENT_HEADER} must be 1 to 64 letters, digits or dashes.")
    return value


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
        return whole.replace(layers=self.layers or whole.layers, objective=self.objective or whole.objective)

    def to_json(self) -> dict[str, Any]:
        layers = [list(layer) for layer in self.layers]
        return {"mask": self.mask, "layers": layers, "objective": self.objective, "guide": self.guide}

    @classmethod
    def from_json(cls, data: object) -> Region:
        """Raises RequestError or SettingsError."""
        check_fields(data, "region", {"mask", "layers", "objective", "guide"})
        assert isinstance(data, Mapping)
        objective, guide = data.get("objective"), data.get("guide")
        return cls(
            mask=check_hash(data.get("mask")),
            layers=KNOBS["layers"].check(data.get("layers", [])),
            objective=None if objective is None else KNOBS["objective"].check(objective),
            guide=None if guide is None else check_hash(guide),
        )


@dataclass(frozen=True, slots=True)
class Follows:
    """The frame before in the same shot, whose dream this one holds on to.

    detail: the blob that its result named. source: blob of its picture. motion, motion_before: blobs of multilayer EXRs
    with the Vector pass of this frame and of that one, and Depth; without them the motion is guessed from the pictures.
    turn: nine numbers, how the background moved (`engine.correspondence.Homography`); None if it did not, or nobody
    knows. backwards: that frame is the later one.
    """

    detail: str
    source: str
    motion: str | None = None
    motion_before: str | None = None
    turn: tuple[float, ...] | None = None
    backwards: bool = False

    @property
    def blobs(self) -> tuple[str, ...]:
        motions = [blob for blob in (self.motion, self.motion_before) if blob is not None]
        return (self.detail, *(motions or [self.source]))

    def to_json(self) -> dict[str, Any]:
        turn = None if self.turn is None else list(self.turn)
        return {name: getattr(self, name) for name in self.__slots__} | {"turn": turn}

    @classmethod
    def from_json(cls, data: object) -> Follows:
        """Raises RequestError."""
        check_fields(data, "frame before", set(cls.__slots__))
        assert isinstance(data, Mapping)
        motion, before, backwards = data.get("motion"), data.get("motion_before"), data.get("backwards", False)
        if (motion is None) != (before is None) or not isinstance(backwards, bool):
            raise RequestError(
                "A frame before has both motion and motion_before or neither; backwards is true or false."
            )
        return cls(
            detail=check_hash(data.get("detail")),
            source=check_hash(data.get("source")),
            motion=None if motion is None else check_hash(motion),
            motion_before=None if before is None else check_hash(before),
            turn=_check_turn(data.get("turn")),
            backwards=backwards,
        )


def _check_turn(value: object) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, (list, tuple)) else ()
    good = all(isinstance(number, (int, float)) and abs(number) < MAX_TURN for number in numbers)
    if len(numbers) != 9 or not good or not abs(_determinant(numbers)) > 1 / MAX_TURN:
        raise RequestError("turn must be nine numbers, the rows of a matrix that can be inverted.")
    return tuple(float(number) for number in numbers)


def _determinant(rows: Sequence[float]) -> float:
    a, b, c, d, e, f, g, h, i = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


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
        own = self.settings.brain
        layers = (*self.settings.layers, *(layer for region in self.regions for layer in region.layers))
        return tuple(dict.fromkeys([own, *(read_choice(name).brain or own for name, _ in layers)]))

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
        mask, guide, regions = data.get("mask"), data.get("guide"), data.get("regions", [])
        if not isinstance(regions, list) or len(regions) > MAX_REGIONS:
            raise RequestError(f"regions must be a list of at most {MAX_REGIONS} regions.")
        follows, keep = data.get("follows"), data.get("keep", False)
        if not isinstance(keep, bool):
            raise RequestError("keep must be true or false.")
        try:
            space = ColorSpace(str(data.get("color_space", ColorSpace.AUTO)))
        except ValueError:
            raise RequestError(f"color_space must be one of: {', '.join(ColorSpace)}.") from None
        return cls(
            source=_check_source(data.get("source")),
            mask=None if mask is None else check_hash(mask),
            guide=None if guide is None else check_hash(guide),
            regions=tuple(map(Region.from_json, regions)),
            follows=None if follows is None else Follows.from_json(follows),
            keep=keep,
            color_space=space,
            settings=DreamSettings.from_json(data.get("settings", {})),
        )


def check_wishes(settings: DreamSettings, guide: bool, regions: Sequence[Region]) -> None:
    """Raises SettingsError where the image or a region lacks a guide, or directions, or has a guide of no use."""
    wishes = [(region.settings(settings), region.guide is not None) for region in regions]
    # a guide of the whole image may be there for a region's sake
    lent = guide and any(wish.needs_guide and not own for wish, own in wishes)
    check_guide(settings, guide and (settings.needs_guide or not lent))
    for wish, own in wishes:
        check_guide(wish, own or (guide and wish.needs_guide))
    for wish, own in ((settings, guide and not lent), *wishes):
        check_direction(wish)
        if own and wish.needs_guide and wish.classes_only:
            raise SettingsError("Classes make no use of a guide.", "Name a layer beside them, or leave the guide out.")


def _check_source(value: object) -> str:
    return value if isinstance(value, str) and read_nothing(value) else check_hash(value)


def check_fields(data: object, what: str, known: Collection[str]) -> None:
    if not isinstance(data, Mapping):
        raise RequestError(f"A {what} must be a JSON object.")
    unknown = set(data) - set(known)
    if unknown:
        raise RequestError(f"A {what} has no field {sorted(map(str, unknown))[0]!r}.")


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


@dataclass(frozen=True, slots=True)
class BrainInfo:
    """A brain as a list shows it. id: SHA-256 of its file, of `size` bytes. source: where it came from.

    layers: names from early to late. default_layers: the mixture that dreams when none is asked for.
    """

    name: str
    id: str
    title: str
    licence: str
    layers: tuple[str, ...]
    default_layers: LayerWeights
    source: str = ""
    size: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "id": self.id,
            "title": self.title,
            "licence": self.licence,
            "layers": list(self.layers),
            "default_layers": [list(layer) for layer in self.default_layers],
            "source": self.source,
            "size": self.size,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrainInfo:
        return cls(
            name=str(data["name"]),
            id=check_hash(data["id"]),
            title=str(data["title"]),
            licence=str(data["licence"]),
            layers=tuple(map(str, data["layers"])),
            default_layers=tuple((str(name), float(weight)) for name, weight in data["default_layers"]),
            source=str(data.get("source", "")),
            size=int(data.get("size", 0)),
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a brain. stride: pixels of the image per cell. dreams: a word on what it brings out."""

    name: str
    channels: int
    stride: int
    dreams: str

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layer:
        return cls(str(data["name"]), int(data["channels"]), int(data["stride"]), str(data["dreams"]))


@dataclass(frozen=True, slots=True)
class BrainDetails:
    """All that is known of a brain: what a list shows, each of its layers, the classes that it tells apart.

    classes: in the order of its logits; empty if it has no classifier or nobody named them. recipe: how it was
    trained, if it was trained here.
    """

    info: BrainInfo
    architecture: str
    layers: tuple[Layer, ...]
    classes: tuple[str, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return self.info.to_json() | {
            "architecture": self.architecture,
            "layer_details": [layer.to_json() for layer in self.layers],
            "classes": list(self.classes),
            "recipe": dict(self.recipe),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrainDetails:
        return cls(
            info=BrainInfo.from_json(data),
            architecture=str(data["architecture"]),
            layers=tuple(map(Layer.from_json, data["layer_details"])),
            classes=tuple(map(str, data["classes"])),
            recipe=dict(data["recipe"]),
        )
