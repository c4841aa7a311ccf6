# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's brains: files in one folder, known by name, beside those that are built in.

A brain's name is its file's; a listing reads the files' headers only.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..protocol.errors import BrainFileError, InputError, StorageError, UnknownBrainError, did_you_mean
from . import brain_file, lite0
from .brain import Brain, BrainCard
from .brain_card import check_name
from .file_hashes import FileHashes
from .whole_files import replaced_whole

TAKEN = "Choose another name, or replace it."
"""What to do about a brain's name that is taken, for those who do not say it in words of their own."""

BUILT_IN = {lite0.LITE0_CARD.name: lite0.LITE0_CARD}


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file in the library's folder that is no brain, and why."""

    path: Path
    reason: str


class Library:
    """The brains in a folder, which needs not exist yet. Several processes may use the same one at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes = FileHashes(folder / ".hashes.json")

    def brains(self) -> tuple[BrainCard, ...]:
        """Every brain: the built-in ones, then the others by name. Damaged files are passed over."""
        return tuple(entry for entry in self.everything() if isinstance(entry, BrainCard))

    def everything(self) -> Iterator[BrainCard | Damaged]:
        """The same, with what is damaged."""
        yield from BUILT_IN.values()
        for path in sorted(self.folder.glob(f"*{brain_file.SUFFIX}")):
            if path.stem in BUILT_IN:
                yield Damaged(path, f"{path} has the name of a built-in brain.")
                continue
            try:
                yield self._read(path)
            except BrainFileError as error:
                yield Damaged(path, error.message)

    def find(self, name: str) -> BrainCard:
        """A brain by name, without its weights. Raises UnknownBrainError; BrainFileError if its file is damaged."""
        if name in BUILT_IN:
            return BUILT_IN[name]
        return self._read(self._existing(name))

    def load(self, name: str, device: torch.device | str = "cpu") -> Brain:
        """A brain by name, ready to dream on `device`. Raises UnknownBrainError, BrainFileError."""
        if name in BUILT_IN:
            return lite0.load_lite0(device)
        brain = brain_file.load(self._existing(name), device)
        brain.card = replace(brain.card, name=name)
        return brain

    def contents(self, name: str) -> brain_file.Contents:
        """A brain by name, as its file holds it: for learning. Raises UnknownBrainError, BrainFileError."""
        if name in BUILT_IN:
            return brain_file.Contents(BUILT_IN[name], lite0.lite0_weights())
        contents = brain_file.read(self._existing(name))
        return contents._replace(card=replace(contents.card, name=name))

    def add(
        self,
        card: BrainCard,
        tensors: Mapping[str, Tensor],
        description: object = None,
        *,
        replace_old: bool = False,
    ) -> BrainCard:
        """Keep a new brain under its card's name. description: of a graph (`brain_file.save`).

        Raises InputError if the name cannot be or is taken, BrainFileError, StorageError.
        """
        path = self.check_free(card.name, replace_old=replace_old)
        brain_file.save(path, card, tensors, description)
        return self._added(path)

    def add_file(
        self, source: Path, name: str | None = None, *, replace_old: bool = False, taken: str = TAKEN
    ) -> BrainCard:
        """Copy a brain's file into the library, under another name if one is given. Loads it once, to be sure of it.

        taken: the hint if there is a brain of that name. Raises InputError if there is, or the name cannot be,
        BrainFileError, StorageError.
        """
        name = name or brain_file.read_card(source, lambda _: "").name  # its hash is of no use yet
        target = self.check_free(name, replace_old=replace_old, taken=taken)
        brain_file.load(source)
        _copy(source, target)
        return self._added(target)

    def export(self, name: str, target: Path) -> None:
        """Copy a brain's file out of the library. Raises UnknownBrainError, StorageError."""
        if name in BUILT_IN:
            brain_file.save(target, BUILT_IN[name], lite0.lite0_weights())
        else:
            _copy(self._existing(name), target)

    def remove(self, name: str) -> None:
        """Delete a brain's file. Raises UnknownBrainError; InputError for one that is built in; StorageError."""
        if name in BUILT_IN:
            raise InputError(f"Brain {name!r} is built in.", "Only brains that were pulled or imported can be removed.")
        path = self._existing(name)
        try:
            path.unlink()
        except OSError as error:
            raise StorageError(f"{path} cannot be deleted: {error.strerror}.", "Check who may write there.") from error

    def check_free(self, name: str, *, replace_old: bool = False, taken: str = TAKEN) -> Path:
        """Where a new brain of that name goes; the folder is made. taken: the hint if there is one.

        Raises InputError if there is one, or the name cannot be, StorageError.
        """
        path = self.path(name)
        if name in BUILT_IN or (path.exists() and not replace_old):
            hint = "It is built in: choose another name." if name in BUILT_IN else taken
            raise InputError(f"There is a brain {name!r} already.", hint)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.folder} cannot be made: {error.strerror}.", "Choose another folder.") from error
        return path

    def path(self, name: str) -> Path:
        """Where a brain of that name lies or would lie. Raises InputError for a name that cannot be."""
        return self.folder / f"{check_name(name)}{brain_file.SUFFIX}"

    def _added(self, path: Path) -> BrainCard:
        """The brain that has just been put there."""
        return self._read(path)

    def _existing(self, name: str) -> Path:
        with contextlib.suppress(InputError):
            if (path := self.path(name)).is_file():
                return path
        raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownBrainError:
        names = [card.name for card in self.brains()]
        hint = f"{did_you_mean(name, names)}Brains here: {', '.join(names)}."
        return UnknownBrainError(f"There is no brain {name[:80]!r}.", hint)

    def _read(self, path: Path) -> BrainCard:
        card = brain_file.read_card(path, self._hashes.of)
        try:
            return replace(card, name=check_name(path.name.removesuffix(brain_file.SUFFIX)))
        except InputError as error:
            raise BrainFileError(error.message, error.hint) from error


def _copy(source: Path, target: Path) -> None:
    try:
        with replaced_whole(target) as part:
            shutil.copyfile(source, part)
    except OSError as error:
        raise StorageError(
            f"The brain cannot be written to {target}: {error.strerror or error}.",
            "Check that the folder exists and has room.",
        ) from error
