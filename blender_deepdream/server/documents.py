# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files by name that the machines of a cluster share: in a folder, or in an object store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ..engine.whole_files import write_bytes
from ..protocol.errors import StorageError
from .objects import Objects


class Documents(Protocol):
    """Each is whole or not there. All of it blocks, and raises StorageError."""

    def put(self, name: str, data: bytes) -> None: ...

    def read(self, name: str) -> bytes | None:
        """None where there is none."""
        ...

    def remove(self, name: str) -> None: ...

    def names(self) -> Iterator[tuple[str, float]]:
        """With when they were written, in seconds."""
        ...


class FolderDocuments:
    """Those in a folder, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        write_bytes(self._folder / name, data)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(
                f"{self._folder / name} cannot be read: {error.strerror or error}.", "See who may read there."
            ) from error

    def remove(self, name: str) -> None:
        with contextlib.suppress(OSError):  # at worst it is found again
            (self._folder / name).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, float]]:
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # it may go just now
                yield path.name, path.stat().st_mtime


class ObjectDocuments:
    """Those under one name of an object store."""

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects = objects
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        self._objects.put(f"{self._folder}/{name}", data)

    def read(self, name: str) -> bytes | None:
        return self._objects.read(f"{self._folder}/{name}")

    def remove(self, name: str) -> None:
        self._objects.remove(f"{self._folder}/{name}")

    def names(self) -> Iterator[tuple[str, float]]:
        for found in self._objects.list(self._folder):
            yield found.name.removeprefix(f"{self._folder}/"), found.modified
