# SPDX-License-Identifier: GPL-3.0-or-later
"""The library of a cluster whose brains lie in an object store: what is used of them is copied here.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from ..engine.brain import BrainCard
from ..engine.brain_file import SUFFIX
from ..engine.folders import brains_folder
from ..engine.library import TAKEN, Damaged, Library
from ..engine.whole_files import replaced_whole, write_bytes
from ..protocol.errors import InputError, StorageError
from .objects import Found, Objects
from .remote_store import RemoteStore
from .store import Store


def library_of(store: Store) -> Library:
    """The brains beside a store."""
    folder = brains_folder(store.root)
    return RemoteLibrary(folder, store.objects) if isinstance(store, RemoteStore) else Library(folder)


class RemoteLibrary(Library):
    """folder: that no other process uses. All methods may raise StorageError, too."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        super().__init__(folder)
        self._objects = objects
        self._versions = folder / ".versions.json"

    def everything(self) -> Iterator[BrainCard | Damaged]:
        there = {Path(found.name).name: found for found in self._objects.list("brains")}
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.name not in there:
                path.unlink(missing_ok=True)
        for name, found in there.items():
            if name.endswith(SUFFIX):
                with contextlib.suppress(InputError):  # no name of ours
                    self._bring(self.path(name.removesuffix(SUFFIX)), found)
        yield from super().everything()

    def remove(self, name: str) -> None:
        super().remove(name)
        self._objects.remove(_object(self.path(name)))

    def check_free(self, name: str, *, replace_old: bool = False, taken: str = TAKEN) -> Path:
        self._bring(self.path(name))
        return super().check_free(name, replace_old=replace_old, taken=taken)

    def _existing(self, name: str) -> Path:
        with contextlib.suppress(InputError):
            self._bring(self.path(name))
        return super()._existing(name)

    def _added(self, path: Path) -> BrainCard:
        """It is everybody's, or nobody's."""
        card = super()._added(path)
        try:
            self._objects.put_file(_object(path), path)
        except StorageError:
            path.unlink(missing_ok=True)
            raise
        with contextlib.suppress(StorageError):  # where this is not known it is brought here anew
            if found := self._objects.find(_object(path)):
                self._note(path, found)
        return card

    def _bring(self, path: Path, found: Found | None = None) -> None:
        """Have the file be what the object store has. found: its object, where it is known already."""
        found = found or self._objects.find(_object(path))
        if found is None:
            path.unlink(missing_ok=True)
        elif not path.is_file() or self._known().get(path.name) != found.version:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with replaced_whole(path) as part:
                    self._objects.fetch(found.name, part)
            except OSError as error:
                raise StorageError(
                    f"The brain cannot be written to {path}: {error.strerror or error}.", "Free some space there."
                ) from error
            self._note(path, found)

    def _known(self) -> dict[str, str]:
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads(self._versions.read_bytes()))
        return {}

    def _note(self, path: Path, found: Found) -> None:
        write_bytes(self._versions, json.dumps(self._known() | {path.name: found.version}).encode())


def _object(path: Path) -> str:
    return f"brains/{path.name}"
