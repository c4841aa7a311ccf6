# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of images, as an artist has it: which files belong to which class. Sub-folders are classes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ..protocol.errors import InputError
from ..protocol.layers import MAX_NAME_LENGTH
from ..protocol.picture_folder import worth_a_look
from .cache_index import Line
from .decoding import Reason

MAX_FILES = 200_000

MAX_CLASSES = 1000
"""Each report holds a confusion matrix, a number for every two classes."""

FLAT = ""
"""The class of pictures that lie in no class's folder."""

_SIDECARS = {".xmp", ".aae", ".thm", ".pp3", ".dop", ".ini", ".db", ".mtl", ".json", ".yaml"}
"""What cameras and programs leave beside pictures."""


class Found(NamedTuple):
    """A file before it is opened. kind: the name of its class."""

    path: Path
    kind: str


class Picture(NamedTuple):
    """A picture to learn from. label: the place of its class. line: what it was found to be."""

    path: Path
    label: int
    line: Line


class LeftOut(NamedTuple):
    """A file that is not learned from, and why."""

    path: Path
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What there is to learn from, in the order of the files' names. classes: their names, in order."""

    folder: Path
    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def lines(self) -> list[Line]:
        return [picture.line for picture in self.pictures]

    @property
    def is_flat(self) -> bool:
        """Whether the pictures have no classes of their own."""
        return self.classes == (FLAT,)

    @property
    def was_sorted(self) -> bool:
        """Whether the classes are clusters: the pictures lie in no folders of theirs."""
        return not self.is_flat and all(picture.path.parent == self.folder for picture in self.pictures)

    def sorted_into(self, clusters: Sequence[int]) -> Dataset:
        """The same pictures, in clusters, which are numbered from 0. Raises InputError for less than two."""
        classes = tuple(f"cluster-{number + 1}" for number in range(max(clusters) + 1))
        if len(classes) < 2:
            raise InputError(
                f"The pictures in {self.folder} are too much alike, or too few, to be sorted into classes.",
                "Give each class a folder of its own.",
            )
        pictures = (Picture(path, label, line) for (path, _, line), label in zip(self.pictures, clusters, strict=True))
        return replace(self, classes=classes, pictures=tuple(pictures))

    def counts(self) -> dict[str, int]:
        """Pictures of each class."""
        found = Counter(picture.label for picture in self.pictures)
        return {name: found[label] for label, name in enumerate(self.classes)}


def find_pictures(folder: Path) -> tuple[Found, ...]:
    """All files below a folder, in the order of their names: the first level's folders are classes.

    Raises InputError for a folder that is not there, is empty, or holds more than can be learned from.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", "Name a folder of images.")
    found = tuple(Found(path, _kind(path, folder)) for path in sorted(_files_below(folder)))
    if not found:
        raise InputError(f"{folder} holds no images.", "Put images into it, in a folder for each class.")
    for kind in {file.kind for file in found}:
        _check_name(kind)
    return found


def sift(folder: Path, found: Sequence[Found], lines: Mapping[Path, Line]) -> Dataset:
    """What of the files can be learned from; flat if there are no classes. lines: what each was found to be.

    Raises InputError unless there are two to MAX_CLASSES classes with two pictures each, or two pictures without
    classes.
    """
    usable, left_out = _without_flaws(found, lines)
    if any(file.kind != FLAT for file in usable):
        # before duplicates are: the originals of what was sorted into classes may lie beside them
        left_out += [LeftOut(file.path, Reason.LOOSE) for file in usable if file.kind == FLAT]
        usable = [file for file in usable if file.kind != FLAT]
    usable, doubles = _each_once(usable, lines)
    left_out += doubles
    counts = Counter(file.kind for file in usable)
    left_out += [LeftOut(file.path, Reason.ALONE, file.kind) for file in usable if counts[file.kind] == 1]
    usable = [file for file in usable if counts[file.kind] > 1]
    classes = tuple(sorted({file.kind for file in usable}))
    _check_classes(folder, classes, left_out)
    labels = {kind: label for label, kind in enumerate(classes)}
    pictures = tuple(Picture(file.path, labels[file.kind], lines[file.path]) for file in usable)
    return Dataset(folder, classes, pictures, tuple(sorted(left_out)))


def _without_flaws(found: Sequence[Found], lines: Mapping[Path, Line]) -> tuple[list[Found], list[LeftOut]]:
    """The files that are pictures, and the others."""
    usable: list[Found] = []
    left_out = []
    for file in found:
        line = lines[file.path]
        if line.reason is None:
            usable.append(file)
        else:
            left_out.append(LeftOut(file.path, line.reason, line.detail))
    return usable, left_out


def _each_once(pictures: Sequence[Found], lines: Mapping[Path, Line]) -> tuple[list[Found], list[LeftOut]]:
    """The first of each picture, and the others."""
    first: dict[str, Path] = {}
    for file in pictures:
        first.setdefault(lines[file.path].sha256, file.path)
    originals = {file.path: first[lines[file.path].sha256] for file in pictures}
    doubles = [
        LeftOut(path, Reason.DUPLICATE, f"the same as {original}")
        for path, original in originals.items()
        if original != path
    ]
    return [file for file in pictures if originals[file.path] == file.path], doubles


def _check_classes(folder: Path, classes: tuple[str, ...], left_out: Sequence[LeftOut]) -> None:
    if len(classes) > MAX_CLASSES:
        raise InputError(
            f"{folder} holds {len(classes):,} classes; a brain can learn {MAX_CLASSES:,}.",
            "Each folder in it is a class: put what belongs together into one, or all pictures into none.",
        )
    if len(classes) > 1 or classes == (FLAT,):
        return
    reasons = Counter(entry.reason for entry in left_out)
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    why = f" Left out: {why}." if why else ""
    if not classes:
        raise InputError(
            f"{folder} holds nothing to learn from.{why}", "Give each class a folder with two images or more."
        )
    raise InputError(
        f"{folder} holds one class only, {classes[0]!r}: a brain learns to tell classes apart.{why}",
        "Give each class a folder of its own.",
    )


def _kind(path: Path, folder: Path) -> str:
    return FLAT if path.parent == folder else path.relative_to(folder).parts[0]


def _files_below(folder: Path) -> Iterator[Path]:
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = worth_a_look(folders)
        for name in worth_a_look(names):
            path = Path(parent, name)
            if path.suffix.lower() not in _SIDECARS and path.is_file():  # to open a pipe would wait for its other end
                yield path
            count += 1
            if count > MAX_FILES:
                raise InputError(f"{folder} holds more than {MAX_FILES:,} files.", "Name a folder of images only.")


def _check_name(kind: str) -> None:
    if len(kind) > MAX_NAME_LENGTH or not kind.isprintable():
        raise InputError(
            f"No class can be called {kind[:80]!r}.",
            f"Give its folder a name of up to {MAX_NAME_LENGTH} printable characters.",
        )
