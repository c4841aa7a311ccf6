# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that trains a brain on pictures, as it crosses the wire.

Pictures are blobs like all else; their names, `class/picture.png`, say what is in them and lead nowhere: the server
makes folders of its own after them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from .brain_info import BrainInfo
from .errors import RequestError
from .nothing import read_nothing
from .recipe import Recipe, background_color
from .wire import check_fields, check_flag, check_hash, check_name

MAX_PICTURES = 20_000
MAX_PICTURE_NAME = 200
MAX_DEPTH = 8
MAX_PART_BYTES = 240
"""Of a folder's or file's name in UTF-8: file systems take 255."""
MAX_LEFT_OUT = 200
"""How many of the pictures that were left out a result names."""

DREAM_SOURCE = "dusk:256x256"
"""What a brain dreams from after each epoch if nobody says otherwise."""

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
"""What no name of a file may have on some system, besides the slash."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class Phase(StrEnum):
    """What a training does, in this order. SORTING: a folder without classes. DREAMING: with the brain of this epoch.
    ATLAS: with the finished one."""

    GATHERING = "gathering"
    SORTING = "sorting"
    TRAINING = "training"
    DREAMING = "dreaming"
    ATLAS = "atlas"


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """A brain to be made of pictures.

    name: of the brain in the server's library. pictures: of each the blob and its name, `class/picture.png`; without
    folders they are sorted into classes by what the base brain sees. dream_source: what the brain dreams from after
    each epoch: the blob of an image, or an image of nothing by name. replace: whether a brain of that name makes way.
    Raises RequestError for two pictures of one name, SettingsError for a recipe that makes no sense.
    """

    name: str
    pictures: tuple[tuple[str, str], ...]
    recipe: Recipe = field(default_factory=Recipe)
    dream_source: str = DREAM_SOURCE
    replace: bool = False

    KIND: ClassVar[str] = "train"

    def __post_init__(self) -> None:
        background_color(self.recipe)
        if len({name.casefold() for _, name in self.pictures}) < len(self.pictures):
            raise RequestError("Two pictures have one name.", "Names that differ in capitals only are one name, too.")

    @property
    def blobs(self) -> tuple[str, ...]:
        source = () if read_nothing(self.dream_source) else (self.dream_source,)
        return tuple(dict.fromkeys([*(blob for blob, _ in self.pictures), *source]))

    @property
    def brains(self) -> tuple[str, ...]:
        return (self.recipe.base,)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.KIND,
            "name": self.name,
            "pictures": [list(picture) for picture in self.pictures],
            "recipe": self.recipe.to_json(),
            "dream_source": self.dream_source,
            "replace": self.replace,
        }

    @classmethod
    def from_json(cls, data: object) -> TrainRequest:
        """Raises RequestError, SettingsError, ImageError for an image of nothing without a size."""
        check_fields(data, "training", {"kind", *cls.__slots__})
        assert isinstance(data, Mapping)
        pictures, source = data.get("pictures"), data.get("dream_source", DREAM_SOURCE)
        if not isinstance(pictures, list) or not 0 < len(pictures) <= MAX_PICTURES:
            raise RequestError(f"pictures must be a list of 1 to {MAX_PICTURES} blobs, each with its name.")
        return cls(
            name=check_name(data.get("name"), "brain"),
            pictures=tuple(map(_picture, pictures)),
            recipe=Recipe.from_json(data.get("recipe", {})),
            dream_source=source if isinstance(source, str) and read_nothing(source) else check_hash(source),
            replace=check_flag(data.get("replace", False), "replace"),
        )


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """Where a training is.

    epoch and step count from 1, `step` of `steps` in this phase or epoch; 0 of 0 where nobody counts. loss: of the
    training, the mean of late. accuracy, robust_accuracy: of the last epoch that was validated, 0 to 1; None before
    the first, or without clarity. fraction, eta: of the whole, seconds; eta None if unknown. said: what the artist
    should know of what has happened, the latest: empty if all goes as it should.
    """

    phase: Phase
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    accuracy: float | None = None
    robust_accuracy: float | None = None
    fraction: float = 0.0
    eta: float | None = None
    said: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"phase": str(self.phase)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainProgress:
        epoch, epochs, step, steps = (int(data[name]) for name in ("epoch", "epochs", "step", "steps"))
        loss, accuracy, robust, eta = (_number(data[name]) for name in ("loss", "accuracy", "robust_accuracy", "eta"))
        measured = (loss, accuracy, robust, float(data["fraction"]), eta, str(data["said"]))
        return cls(Phase(data["phase"]), epoch, epochs, step, steps, *measured)


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A brain that was trained, in the library.

    Accuracies are shares, 0 to 1, of the pictures that it did not learn from: as they are, against perturbations, and
    under other light; None where that was not measured. epoch: the one whose weights were best. curves, confusion,
    dreams, atlas: blobs of pictures, PNG or JPEG: how it learned, what it takes for what, the same source dreamed
    after each epoch, and what each of its layers dreams. left_out: pictures that were not used, each with the reason,
    the first `MAX_LEFT_OUT` of them.
    """

    brain: BrainInfo
    classes: tuple[str, ...]
    images: int
    epoch: int
    validation_accuracy: float
    robust_accuracy: float | None
    relit_accuracy: float | None
    curves: str
    confusion: str
    dreams: str
    atlas: str
    seconds: float
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.curves, self.confusion, self.dreams, self.atlas)

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "brain": self.brain.to_json(),
            "classes": list(self.classes),
            "left_out": [list(pair) for pair in self.left_out],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainResult:
        return cls(
            brain=BrainInfo.from_json(data["brain"]),
            classes=tuple(map(str, data["classes"])),
            images=int(data["images"]),
            epoch=int(data["epoch"]),
            validation_accuracy=float(data["validation_accuracy"]),
            robust_accuracy=_number(data["robust_accuracy"]),
            relit_accuracy=_number(data["relit_accuracy"]),
            **{name: check_hash(data[name]) for name in ("curves", "confusion", "dreams", "atlas")},
            seconds=float(data["seconds"]),
            left_out=tuple((str(name), str(reason)) for name, reason in data["left_out"]),
        )


def check_picture_name(value: object) -> str:
    """The value if it is a relative path of portable names, with slashes. Raises RequestError."""
    if isinstance(value, str) and 0 < len(value) <= MAX_PICTURE_NAME:
        parts = value.split("/")
        if len(parts) <= MAX_DEPTH and all(map(is_portable, parts)):
            return value
    raise RequestError(
        f"A picture cannot be called {str(value)[:80]!r}.",
        f"Call it like class/picture.png, in at most {MAX_PICTURE_NAME} characters that any system takes.",
    )


def is_portable(part: str) -> bool:
    """Whether a file or folder may be called so on any system; names of hidden ones are not portable here."""
    plain = bool(part) and part.isprintable() and part == part.strip() and not part.startswith(".")
    if plain and len(part.encode()) > MAX_PART_BYTES:
        return False
    return plain and not part.endswith(".") and not FORBIDDEN.search(part) and not _DEVICES.fullmatch(part)


def _picture(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise RequestError("Each of the pictures must be a list of a blob and its name.")
    return check_hash(value[0]), check_picture_name(value[1])


def _number(value: object) -> float | None:
    """A finite number, or None: JSON has no others, but a training's loss may be."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
