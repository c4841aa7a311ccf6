# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machines of a cluster share, as each of them comes to it: a folder, or an object store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import filelock

from ...engine.folders import data_folder
from ...protocol.errors import StorageError
from ...protocol.wire import content_hash
from ..documents import Documents, FolderDocuments, ObjectDocuments
from ..limits import GIB
from ..objects import Objects, is_address
from ..remote_store import open_store
from ..store import Store, storage_errors
from ..upkeep import Upkeep

MAX_PROCESSES = 1024
"""Of one machine, that have copies of their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """shared: the folder's path or the object store's address. copies: the folder on each machine in which its
    processes have copies of what lies in an object store, None for one in the user's data folder; copies_gib: how many
    each process keeps."""

    shared: str
    copies: Path | None = None
    copies_gib: int = 20

    @property
    def is_remote(self) -> bool:
        return is_address(self.shared)

    def documents(self, folder: str) -> Documents:
        """Raises InputError where the object store's driver is not installed."""
        if self.is_remote:
            return ObjectDocuments(Objects(self.shared), folder)
        return FolderDocuments(Path(self.shared) / folder)


class Desk:
    """One process's way to what is shared, with a folder that is its own as long as it lives.

    Raises StorageError, InputError.
    """

    def __init__(self, place: Place) -> None:
        self.address = place.shared if place.is_remote else ""
        self._lock: filelock.BaseFileLock | None = None
        folder = Path(place.shared)
        if place.is_remote:
            folder, self._lock = _own_folder(place)
        self.store = open_store(folder, self.address)
        self.store.prepare()
        self._tidying = Upkeep(Store(folder), place.copies_gib * GIB, tuple) if place.is_remote else None
        self._tidies = False

    def start(self) -> None:
        """Keep the copies within their limit, in the event loop that this is first called in."""
        if self._tidying is not None and not self._tidies:
            self._tidies = True
            self._tidying.start()


def _own_folder(place: Place) -> tuple[Path, filelock.BaseFileLock]:
    """The first that no living process has: what one that ended has copied is of use to the next."""
    parent = (place.copies or data_folder() / "copies") / content_hash(place.shared.encode())[:16]
    with storage_errors(parent / "0"):
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(MAX_PROCESSES):
            lock = filelock.FileLock(parent / f"{number}.lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                continue
            return parent / str(number), lock
    raise StorageError(f"More than {MAX_PROCESSES} processes have copies in {parent}.", "Name another folder: --data.")
