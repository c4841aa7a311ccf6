# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that wait or run, written down: a server that is started again elsewhere goes on with them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from ..protocol.errors import DeepDreamError, StorageError
from ..protocol.jobs import request_from_json
from .documents import Documents
from .job import Client
from .resolving import Resolved

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Entries that are read at a time: those of an object store are slow to come, each by itself."""


class Entry(NamedTuple):
    """A job and who wants it. since: nanoseconds, when it was first noted, or the journal's file of it last written."""

    resolved: Resolved
    clients: tuple[Client, ...]
    since: int


class Journal:
    """A document for each job. Only one server may use them.

    One thread writes, so that what is noted or forgotten last is what stays.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._writer = ThreadPoolExecutor(1, "journal")
        self._since: dict[str, int] = {}

    def note(self, resolved: Resolved, clients: Iterable[Client]) -> Future[None]:
        """This job is not done yet. The future ends when that is written, or with StorageError."""
        entry = {
            "request": resolved.request.to_json(),
            "brains": dict(resolved.brains),
            "content": dict(resolved.content),
            "clients": [list(client) for client in clients],
            "since": self._since.setdefault(resolved.id, time.time_ns()),
        }
        return self._writer.submit(self._documents.put, _name(resolved.id), json.dumps(entry).encode())

    def forget(self, job_id: str) -> None:
        """It has ended, whatever its end."""
        if self._since.pop(job_id, None) is not None:
            self._writer.submit(self._remove, job_id)

    def read(self) -> list[Entry]:
        """What was noted and not forgotten, the oldest first. What cannot be read is left out. Raises StorageError."""
        names = [(name.removesuffix(".json"), written) for name, written in self._documents.names()]
        jobs = [(job_id, written) for job_id, written in names if len(job_id) == 64]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = [entry for entries in pool.map(lambda job: self._read(*job), jobs) for entry in entries]
        found.sort(key=lambda entry: entry.since)
        self._since |= {entry.resolved.id: entry.since for entry in found}
        return found

    def close(self) -> None:
        """When all is written."""
        self._writer.shutdown()

    def _read(self, job_id: str, written: float) -> list[Entry]:
        """The entry; nothing where it ended just now, or is damaged."""
        try:
            data = self._documents.read(_name(job_id))
            return [] if data is None else [_entry(job_id, json.loads(data), written)]
        except StorageError:
            raise
        except (ValueError, KeyError, TypeError, DeepDreamError) as error:
            log.warning("%s is no job that can be gone on with: %s", _name(job_id), error)
            return []

    def _remove(self, job_id: str) -> None:
        try:
            self._documents.remove(_name(job_id))
        except StorageError as error:  # at worst it is done again, and comes to the same
            log.warning("job %s stays written down: %s", job_id, error)


def _name(job_id: str) -> str:
    return f"{job_id}.json"


def _entry(job_id: str, data: Any, written: float) -> Entry:
    clients = tuple(Client(str(name), str(token), bool(batch)) for name, token, batch in data["clients"])
    resolved = Resolved(job_id, request_from_json(data["request"]), dict(data["brains"]), dict(data["content"]))
    return Entry(resolved, clients, int(data.get("since", written * 1e9)))
