# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server keeps on disk: blobs named by their SHA-256, and results named by the job that made them.

Files appear under their name only when they are complete, by a rename, so that a crash or a second server on the
same folder never shows half a file. The worker process writes its pictures through the same store.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..protocol.errors import DeepDreamError, NotFoundError, RequestError, StorageError
from ..protocol.jobs import KINDS, JobResult
from ..protocol.wire import content_hash
from .documents import Documents, FolderDocuments

STALE_SECONDS = 3600
"""An unfinished file that nobody wrote to for this long was left by a crash."""


class KeptResult(NamedTuple):
    """A job's result with the kind of the job, as in `KINDS`."""

    kind: str
    result: JobResult


class Kept(NamedTuple):
    """A file in the store. name: the blob's or the job's. size: in bytes. used: when it was needed last, in seconds."""

    path: Path
    name: str
    size: int
    used: float


class Upload:
    """Bytes on their way into the store: written piece by piece, kept only by `commit`."""

    def __init__(self, store: Store, path: Path, file: BinaryIO) -> None:
        self._store = store
        self._path = path
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Raises StorageError."""
        with storage_errors(self._path):
            self._file.write(data)
        self._hash.update(data)

    def commit(self, sha: str) -> None:
        """Keep the bytes as blob `sha`. Raises RequestError if they have another hash, StorageError."""
        actual = self._hash.hexdigest()
        if actual != sha:
            raise RequestError(
                f"The bytes sent have the SHA-256 {actual}, not {sha}.",
                "They were damaged on the way or the file changed meanwhile: send them again.",
            )
        with storage_errors(self._path):
            self._file.close()
            self._store.take_in(self._path, self._store.blob_path(sha))


class Store:
    """The folder of blobs and results. Its methods block on the disk: the server calls them in threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs"
        self._results = root / "results"
        self._unfinished = root / "unfinished"

    def prepare(self) -> None:
        """Make the folders, clear what crashes left behind. Raises StorageError."""
        with storage_errors(self.root):
            for folder in (self._blobs, self._results, self._unfinished):
                folder.mkdir(parents=True, exist_ok=True)
            self._probe()
        for path in self._unfinished.iterdir():
            # another server may be writing here: only what nobody touched for long is left over
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - STALE_SECONDS:
                    path.unlink()

    def blob_path(self, sha: str) -> Path:
        return self._blobs / sha

    def has_blob(self, sha: str) -> bool:
        """Whoever asks counts on it: it counts as used."""
        return self.touch(sha)

    def touch(self, sha: str) -> bool:
        """Note that a blob is needed. Returns whether it is there."""
        try:
            os.utime(self.blob_path(sha))
        except FileNotFoundError:
            return False
        except OSError:  # a folder that can only be read, or a file of another user's
            return self.blob_path(sha).is_file()
        return True

    def missing(self, blobs: Iterable[str]) -> list[str]:
        """Those that are not here. The others count as used."""
        return [sha for sha in blobs if not self.touch(sha)]

    def documents(self, folder: str) -> Documents:
        """Small files beside the blobs."""
        return FolderDocuments(self.root / folder)

    def everything(self) -> list[Kept]:
        """All blobs and results; what is on its way to be one; what atlases and surfaces would go on with."""
        found = []
        own = (self._blobs, self._results, self._unfinished)
        for folder in (*own, *(path for path in (self.root / "cells", self.root / "surfaces") if path.is_dir())):
            with os.scandir(folder) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # another server may tidy up, too
                        facts = entry.stat()
                        path = Path(entry.path)
                        found.append(Kept(path, path.stem, facts.st_size, facts.st_mtime))
        return found

    def in_trainings(self) -> int:
        """Bytes that trainings have laid out and keep to go on with, besides the blobs that they link to."""
        total = 0
        for folder, _, files in os.walk(self.root / "trainings"):
            for name in files:
                with contextlib.suppress(OSError):  # it may end just now
                    facts = (Path(folder) / name).lstat()
                    total += facts.st_size if facts.st_nlink == 1 else 0
        return total

    def remove(self, kept: Kept) -> bool:
        """Returns whether it is gone: one that was used since, or is open elsewhere (Windows), stays."""
        try:
            if kept.path.stat().st_mtime != kept.used:
                return False
            kept.path.unlink()
        except FileNotFoundError:  # another server was quicker
            return True
        except OSError:
            return False
        return True

    def let_go(self, kept: Iterable[Kept]) -> int:
        """Remove these. Returns how many bytes that brought."""
        return sum(one.size for one in kept if self.remove(one))

    def existing_blob(self, sha: str) -> Path:
        """The blob's file. Raises NotFoundError."""
        if not self.has_blob(sha):
            raise missing_blob(sha)
        return self.blob_path(sha)

    def file_of(self, sha: str) -> Path:
        """Where the blob's file is, if there is one; brought here first where it lies elsewhere."""
        return self.blob_path(sha)

    def blob_is_good(self, sha: str) -> bool:
        """Whether the blob is there and undamaged. A damaged one is deleted."""
        path = self.blob_path(sha)
        try:
            with path.open("rb") as file:
                good = hashlib.file_digest(file, "sha256").hexdigest() == sha
        except OSError:
            return False
        if good:
            return self.touch(sha)
        with contextlib.suppress(OSError):
            path.unlink()
        return False

    @contextlib.contextmanager
    def upload(self) -> Iterator[Upload]:
        """Raises StorageError. What is not committed at the end leaves no trace."""
        path = self.temporary_path()
        try:
            with storage_errors(path):
                file = path.open("wb")
            try:
                yield Upload(self, path, file)
            finally:
                # a full disk shows again when what is buffered is written: it has been reported already
                with contextlib.suppress(OSError):
                    file.close()
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def temporary_path(self, suffix: str = "") -> Path:
        """A name that nobody uses, on the same disk as the blobs."""
        return self._unfinished / f"{uuid.uuid4().hex}{suffix}"

    def keep(self, data: bytes) -> str:
        """Make these bytes a blob. Returns their hash. Raises StorageError."""
        sha = content_hash(data)
        with self.upload() as upload:
            upload.write(data)
            upload.commit(sha)
        return sha

    def adopt(self, path: Path) -> str:
        """Make a finished file a blob; the file moves. Returns its hash. Raises StorageError."""
        with storage_errors(path):
            with path.open("rb") as file:
                sha = hashlib.file_digest(file, "sha256").hexdigest()
            self.take_in(path, self.blob_path(sha))
        return sha

    def good_result(self, job_id: str) -> KeptResult | None:
        """The result kept for a job, if its blobs are still there and undamaged."""
        kept = self.result(job_id)
        return kept if kept is not None and all(map(self.blob_is_good, kept.result.blobs)) else None

    def result(self, job_id: str) -> KeptResult | None:
        """The result kept for a job. A file that cannot be read counts as none."""
        try:
            return read_result(self._result_path(job_id).read_bytes())
        except OSError:
            return None

    def keep_result(self, job_id: str, kind: str, result: JobResult) -> None:
        """Raises StorageError."""
        path = self.temporary_path()
        with storage_errors(path):
            path.write_bytes(written_result(kind, result))
            path.replace(self._result_path(job_id))

    def take_in(self, path: Path, target: Path) -> None:
        """Rename onto the final name. Bytes of that hash that are open elsewhere (Windows) are as good as ours."""
        try:
            path.replace(target)
        except PermissionError:
            if not target.is_file():
                raise

    def _result_path(self, job_id: str) -> Path:
        return self._results / f"{job_id}.json"

    def _probe(self) -> None:
        """Find out now, not at the first picture, whether the folder can be written."""
        path = self.temporary_path()
        path.write_bytes(b"deepdream")
        path.unlink()


def missing_blob(sha: str) -> NotFoundError:
    return NotFoundError(f"There is no blob {sha}.", "Send it first with PUT.")


def written_result(kind: str, result: JobResult) -> bytes:
    """As `read_result` reads it."""
    return json.dumps({"kind": kind, "result": result.to_json()}).encode()


def read_result(data: bytes | None) -> KeptResult | None:
    """None for what is not there or cannot be read."""
    try:
        found = json.loads(data or b"")
        return KeptResult(found["kind"], KINDS[found["kind"]].result.from_json(found["result"]))
    except (ValueError, KeyError, TypeError, DeepDreamError):
        return None


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the system says about a disk into StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)):
            message, hint = f"The disk of {path.parent} is full.", "Free some space, or choose another folder."
        else:
            message = f"{path.parent} cannot be written: {error.strerror or error}."
            hint = "Check that the folder exists and that you may write to it, or choose another with --data."
        raise StorageError(message, hint) from error
