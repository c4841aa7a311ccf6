# SPDX-License-Identifier: GPL-3.0-or-later
"""One dream asked of the server, in a thread that touches sockets and files only, never bpy.

Blender's own thread reads the queue of `updates` when it likes: waiting for it in background, in a timer in a window.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..protocol.client import DreamClient
from ..protocol.errors import CancelledError, DeepDreamError, InternalError
from ..protocol.jobs import JobState, JobStatus
from ..protocol.messages import DreamRequest, Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finished:
    """The dream lies at its destination. job: its id. transfer, dream: seconds spent moving bytes and waiting.

    detail: the hash of what it hands on to the frame after it, if that was asked for.
    """

    job: str
    transfer: float
    dream: float
    detail: str | None = None


Update = Progress | Finished | DeepDreamError


class DreamTask:
    """Upload, submit, follow, download. `updates` gets Progress, then one Finished or one error."""

    def __init__(
        self, client: DreamClient, request: DreamRequest, files: dict[str, Path], destination: Path, detail: Path
    ) -> None:
        """files: where the blobs that the request names lie. destination: where the dream's EXR is written; detail:
        where what it hands on is, if the request says so."""
        self.updates: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._client = client
        self._request = request
        self._files = files
        self._destination = destination
        self._detail = detail
        self._job: str | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deepdream-task", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Tell the server that nobody wants this dream any more, and wait for the thread to end."""
        self._cancelled.set()
        if self._job and self._thread.is_alive():
            with suppress(DeepDreamError):  # a server that cannot be reached does not dream for us either
                self._client.cancel(self._job)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self.updates.put(self._dream())
        except DeepDreamError as error:
            self.updates.put(error)
        except Exception as error:  # thread boundary: Blender's side shows it
            log.exception("a dream met a defect")
            self.updates.put(InternalError(f"{type(error).__name__}: {error}", "Please report this."))

    def _dream(self) -> Finished:
        started = time.perf_counter()
        for path in self._files.values():
            self._client.put_blob(path)
        self._check()
        uploaded = time.perf_counter()
        status = self._follow(self._client.submit(self._request))
        dreamed = time.perf_counter()
        assert status.result is not None  # _follow returns finished jobs only
        self._client.get_blob(status.result.image, self._destination)
        if status.result.detail:
            self._client.get_blob(status.result.detail, self._detail)
        transfer = uploaded - started + time.perf_counter() - dreamed
        return Finished(status.id, transfer, dreamed - uploaded, status.result.detail)

    def _follow(self, status: JobStatus) -> JobStatus:
        self._job = status.id
        self._check()
        if not status.state.ended:
            for status in self._client.events(status.id):  # noqa: B020, PLR1704  the latest status is the one that counts
                self._check()
                if status.progress and status.state is JobState.RUNNING:
                    self.updates.put(status.progress)
        if status.state is JobState.FAILED and status.error:
            raise status.error
        if status.state is JobState.CANCELLED:
            raise CancelledError("The dream was cancelled on the server.")
        return status

    def _check(self) -> None:
        if self._cancelled.is_set():
            if self._job:
                self._client.cancel(self._job)
            raise CancelledError("The dream was cancelled.")
