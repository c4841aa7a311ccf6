# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that wait or run, on disk: a server that is started again elsewhere goes on with them."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..engine.whole_files import write_bytes
from ..protocol.errors import DeepDreamError
from ..protocol.jobs import request_from_json
from .job import Client
from .resolving import Resolved

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """A job and who wants it."""

    resolved: Resolved
    clients: tuple[Client, ...]


class Journal:
    """A folder with a file for each job. Only one server may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, resolved: Resolved, clients: Iterable[Client]) -> None:
        """This job is not done yet. Raises StorageError."""
        entry = {
            "request": resolved.request.to_json(),
            "brains": dict(resolved.brains),
            "content": dict(resolved.content),
            "clients": [list(client) for client in clients],
        }
        write_bytes(self._path(resolved.id), json.dumps(entry).encode())

    def forget(self, job_id: str) -> None:
        """It has ended, whatever its end."""
        with contextlib.suppress(OSError):  # at worst it is done again, and comes to the same
            self._path(job_id).unlink(missing_ok=True)

    def read(self) -> Iterator[Entry]:
        """What was noted and not forgotten, the oldest first. A file that cannot be read is left out."""
        files = [path for path in self._folder.glob("*.json") if len(path.stem) == 64]
        for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
            try:
                yield _entry(path)
            except (OSError, ValueError, KeyError, TypeError, DeepDreamError) as error:
                log.warning("%s is no job that can be gone on with: %s", path, error)

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"


def _entry(path: Path) -> Entry:
    data = json.loads(path.read_text(encoding="utf-8"))
    clients = tuple(Client(str(name), str(token), bool(batch)) for name, token, batch in data["clients"])
    resolved = Resolved(path.stem, request_from_json(data["request"]), dict(data["brains"]), dict(data["content"]))
    return Entry(resolved, clients)
