# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that bring a brain into a server's library, as they cross the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .brain_info import BrainInfo
from .errors import RequestError
from .wire import check_fields, check_flag, check_hash

MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a job is whose work is counted: `done` of `total` units. eta: seconds left, None if unknown."""

    done: int
    total: int
    unit: str
    eta: float | None = None

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 0.0

    def to_json(self) -> dict[str, Any]:
        return {"done": self.done, "total": self.total, "unit": self.unit, "fraction": self.fraction, "eta": self.eta}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Advance:
        eta = data.get("eta")
        return cls(int(data["done"]), int(data["total"]), str(data["unit"]), None if eta is None else float(eta))


@dataclass(frozen=True, slots=True)
class ImportBrainRequest:
    """A brain from files sent as blobs: `file`, a .safetensors brain, or `prototxt` and `caffemodel`, Caffe's.

    name: how it will be called; None: as the file calls itself. mean: blob of a .binaryproto. classes: blob of a
    synset.txt. licence: of Caffe's files, which do not say. replace: whether a brain of that name makes way.
    Raises RequestError for files that do not go together.
    """

    name: str | None = None
    file: str | None = None
    prototxt: str | None = None
    caffemodel: str | None = None
    mean: str | None = None
    classes: str | None = None
    licence: str = ""
    replace: bool = False

    KIND: ClassVar[str] = "import_brain"
    FILES: ClassVar[tuple[str, ...]] = ("file", "prototxt", "caffemodel", "mean", "classes")

    def __post_init__(self) -> None:
        caffe = (self.prototxt, self.caffemodel)
        wrong = (None in caffe) if self.file is None else any((*caffe, self.mean, self.classes, self.licence))
        if wrong:
            raise RequestError(
                "A brain is made from one .safetensors file, or from a prototxt and a caffemodel.",
                "Send `file` alone; or `prototxt` and `caffemodel`, with `mean`, `classes` and `licence` if there are.",
            )
        if self.file is None and self.name is None:
            raise RequestError("A brain from Caffe's files needs a name.", "Send it as `name`.")

    @property
    def blobs(self) -> tuple[str, ...]:
        return tuple(self.files.values())

    @property
    def files(self) -> dict[str, str]:
        """The blobs by what they are."""
        return {what: blob for what in self.FILES if (blob := getattr(self, what)) is not None}

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.KIND} | {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: object) -> ImportBrainRequest:
        """Raises RequestError."""
        check_fields(data, "brain's import", {"kind", *cls.__slots__})
        assert isinstance(data, Mapping)
        name = data.get("name")
        return cls(
            name=None if name is None else _line(name, "A brain's name"),
            licence=_line(data.get("licence", ""), "A licence"),
            replace=check_flag(data.get("replace", False), "replace"),
            **{file: check_hash(data[file]) for file in cls.FILES if data.get(file) is not None},
        )


@dataclass(frozen=True, slots=True)
class BrainOffer:
    """A brain that a server can pull. host: who is asked for it. size: of the download in bytes, about."""

    name: str
    title: str
    licence: str
    host: str
    size: int

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrainOffer:
        return cls(str(data["name"]), str(data["title"]), str(data["licence"]), str(data["host"]), int(data["size"]))


@dataclass(frozen=True, slots=True)
class PullBrainRequest:
    """A brain that the server offers to fetch from who keeps it. replace: whether one of that name makes way."""

    name: str
    replace: bool = False

    KIND: ClassVar[str] = "pull_brain"

    @property
    def blobs(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.KIND, "name": self.name, "replace": self.replace}

    @classmethod
    def from_json(cls, data: object) -> PullBrainRequest:
        """Raises RequestError."""
        check_fields(data, "brain's pull", {"kind", *cls.__slots__})
        assert isinstance(data, Mapping)
        return cls(_line(data.get("name"), "A brain's name"), check_flag(data.get("replace", False), "replace"))


@dataclass(frozen=True, slots=True)
class BrainResult:
    """The brain that a job brought into the library."""

    brain: BrainInfo

    @property
    def blobs(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return {"brain": self.brain.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrainResult:
        return cls(BrainInfo.from_json(data["brain"]))


def _line(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or (value and not value.isprintable()):
        raise RequestError(f"{what} must be a line of at most {MAX_TEXT} characters.")
    return value
