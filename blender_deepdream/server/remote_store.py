# SPDX-License-Identifier: GPL-3.0-or-later
"""A store whose blobs and results lie in an object store, where all machines of a cluster see them.

Files need a disk: what a process reads or writes it has in a folder of its own, as copies that may go at any time.
When a blob was used last is told by an empty object beside it, `used/HASH`: object stores know only of writing.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..protocol.errors import NotFoundError, StorageError
from ..protocol.jobs import JobResult
from .documents import Documents, ObjectDocuments
from .objects import Objects
from .store import Kept, KeptResult, Store, missing_blob, read_result, written_result

FRESH_SECONDS = 300.0
"""How long a blob that was seen to be there and used is not asked for again: half of what keeps it there."""

MAX_FRESH = 100_000
"""Blobs of which that is remembered; when there are more, all are asked for again."""

AT_ONCE = 16
"""Questions to the object store under way at a time."""


class RemoteStore(Store):
    """root: a folder that no other process uses, for copies."""

    def __init__(self, root: Path, objects: Objects) -> None:
        super().__init__(root)
        self.objects = objects
        self._fresh: dict[str, float] = {}

    def prepare(self) -> None:
        """Also finds out whether the object store can be written, read and tidied."""
        super().prepare()
        name, word = f"unfinished/probe-{uuid.uuid4().hex}", uuid.uuid4().bytes
        self.objects.put(name, word)
        if self.objects.read(name) != word:
            raise StorageError(
                f"{self.objects.address} does not give back what was just stored there.",
                "Use a store that shows what was written at once.",
            )
        self.objects.remove(name)

    def documents(self, folder: str) -> Documents:
        return ObjectDocuments(self.objects, folder)

    def touch(self, sha: str) -> bool:
        super().touch(sha)  # the copy, if there is one: who tidies up here shall leave it alone
        if self._is_fresh(sha):
            return True
        if self.objects.find(_blob(sha)) is None:
            self._fresh.pop(sha, None)
            return False
        self.objects.put(_use(sha), b"")
        self._note(sha)
        return True

    def missing(self, blobs: Iterable[str]) -> list[str]:
        wanted = list(blobs)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [sha for sha, there in zip(wanted, pool.map(self.touch, wanted), strict=True) if not there]

    def blob_is_good(self, sha: str) -> bool:
        """Afterwards its file is here. What is damaged in the object store is deleted there."""
        super().touch(sha)  # before it is read, or it may go meanwhile
        return super().blob_is_good(sha) or self._fetch(sha)

    def existing_blob(self, sha: str) -> Path:
        path = self.blob_path(sha)
        if not (self.touch(sha) and (path.is_file() or self._fetch(sha))):
            raise missing_blob(sha)
        return path

    def file_of(self, sha: str) -> Path:
        with contextlib.suppress(NotFoundError):
            return self.existing_blob(sha)
        return self.blob_path(sha)

    def take_in(self, path: Path, target: Path) -> None:
        self.objects.put_file(_blob(target.name), path)
        self._note(target.name)
        super().take_in(path, target)

    def good_result(self, job_id: str) -> KeptResult | None:
        kept = self.result(job_id)
        return kept if kept is not None and not self.missing(kept.result.blobs) else None

    def result(self, job_id: str) -> KeptResult | None:
        return read_result(self.objects.read(f"results/{job_id}.json"))

    def keep_result(self, job_id: str, kind: str, result: JobResult) -> None:
        self.objects.put(f"results/{job_id}.json", written_result(kind, result))

    def everything(self) -> list[Kept]:
        uses = {Path(found.name).name: found.modified for found in self.objects.list("used")}
        kept = []
        for found in (*self.objects.list("blobs"), *self.objects.list("results")):
            path = Path(found.name)
            kept.append(Kept(path, path.stem, found.size, max(found.modified, uses.pop(path.stem, 0.0))))
        # the blob of these has gone before
        return [*kept, *(Kept(Path(_use(sha)), sha, 0, used) for sha, used in uses.items())]

    def in_trainings(self) -> int:
        return sum(found.size for found in self.objects.list("trainings"))

    def remove(self, kept: Kept) -> bool:
        name, use = kept.path.as_posix(), _use(kept.name)
        times = [found.modified for found in map(self.objects.find, {name, use}) if found is not None]
        if times and max(times) >= kept.used + 1:  # lists may tell parts of seconds, answers about one object none
            return False
        self._fresh.pop(kept.name, None)
        self.objects.remove(name)
        self.objects.remove(use)
        return True

    def let_go(self, kept: Iterable[Kept]) -> int:
        every = list(kept)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(one.size for one, gone in zip(every, pool.map(self.remove, every), strict=True) if gone)

    def _note(self, sha: str) -> None:
        if len(self._fresh) >= MAX_FRESH:
            self._fresh = {}
        self._fresh[sha] = time.monotonic()

    def _is_fresh(self, sha: str) -> bool:
        return time.monotonic() - self._fresh.get(sha, -FRESH_SECONDS) < FRESH_SECONDS

    def _fetch(self, sha: str) -> bool:
        """Bring a blob here. Returns whether it is there and undamaged; a damaged one is deleted."""
        path = self.temporary_path()
        try:
            if not self.objects.fetch(_blob(sha), path):
                self._fresh.pop(sha, None)
                return False
            with path.open("rb") as file:
                good = hashlib.file_digest(file, "sha256").hexdigest() == sha
            if good:
                super().take_in(path, self.blob_path(sha))
            else:
                self._fresh.pop(sha, None)
                self.objects.remove(_blob(sha))
            return good
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def open_store(folder: Path, address: str = "") -> Store:
    """The store in a folder; with an address, the object store's, of which the folder has copies. Raises InputError."""
    return RemoteStore(folder, Objects(address)) if address else Store(folder)


def _blob(sha: str) -> str:
    return f"blobs/{sha}"


def _use(name: str) -> str:
    return f"used/{name}"
