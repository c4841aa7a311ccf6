# SPDX-License-Identifier: GPL-3.0-or-later
"""Work asked of the server, in a thread that touches sockets and files only, never bpy.

Blender's own thread reads the queue of `updates` when it likes: waiting for it in background, in a timer in a window.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..protocol.errors import CancelledError, DeepDreamError, InternalError, NotFoundError
from ..protocol.jobs import JobState, JobStatus
from ..protocol.messages import DreamRequest, DreamResult, Progress
from ..protocol.surface import SurfaceRequest

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")
_Event = TypeVar("_Event")
_Result = TypeVar("_Result")
_MOMENT_SECONDS = 1.0
"""How long whoever cancels waits for the end: a window stands still meanwhile, and a server may be silent for long."""


@dataclass(frozen=True)
class Preview:
    """What a dream has come to so far: a JPEG."""

    jpeg: bytes


class Asking(Generic[_Answer]):
    """A server that is found, started or asked something, in a thread: that may take a minute."""

    def __init__(self, ask: Callable[[], _Answer]) -> None:
        self._answer: queue.SimpleQueue[_Answer | DeepDreamError] = queue.SimpleQueue()
        self._ask = ask
        threading.Thread(target=self._run, name="deepdream-ask", daemon=True).start()

    def answer(self, patience: float, waiting: _Event) -> Generator[_Event, None, _Answer]:
        """Yields `waiting` whenever so many seconds have brought nothing. Returns the answer; raises what `ask`
        raises."""
        while True:
            try:
                answer = self._answer.get(timeout=patience)
            except queue.Empty:
                yield waiting
                continue
            if isinstance(answer, DeepDreamError):
                raise answer
            return answer

    def _run(self) -> None:
        try:
            self._answer.put(self._ask())
        except DeepDreamError as error:
            self._answer.put(error)
        except Exception as error:  # thread boundary: Blender's side shows it
            log.exception("asking the server met a defect")
            self._answer.put(InternalError(f"{type(error).__name__}: {error}", "Please report this."))


class ServerTask:
    """One job, from what is sent for it to what is fetched of it. `updates` gets what `work` yields, or one error."""

    def __init__(self, client: DreamClient, what: str) -> None:
        """what: the work, in words for people: "dream"."""
        self.updates: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.client = client
        self.job: str | None = None
        self._what = what
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"deepdream-{what}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def work(self) -> Iterator[Any]:
        """What the thread does, in steps between which it may be cancelled."""
        raise NotImplementedError

    def news(self, patience: float) -> Iterator[Any]:
        """What `updates` gets, None whenever nothing came for so many seconds. Raises the error that it ended with."""
        while True:
            try:
                update = self.updates.get(timeout=patience)
            except queue.Empty:
                update = None
            if isinstance(update, DeepDreamError):
                raise update
            yield update

    def cancel(self) -> None:
        """Tell the server that nobody wants this job any more, and wait a moment for the thread to end."""
        self._cancelled.set()
        ending = threading.Thread(target=self._end, name=f"deepdream-end-{self._what}", daemon=True)
        ending.start()
        ending.join(_MOMENT_SECONDS)

    def _end(self) -> None:
        if self.job and self._thread.is_alive():
            with suppress(DeepDreamError):  # a server that cannot be reached does not work for us either
                self.client.cancel(self.job)
        self._thread.join()

    def check(self) -> None:
        """Raises CancelledError if it was cancelled; the job too, if it came to be meanwhile."""
        if self._cancelled.is_set():
            if self.job:
                self.client.cancel(self.job)
            raise CancelledError(f"The {self._what} was cancelled.")

    def followed(self, status: JobStatus) -> Iterator[JobStatus]:
        """The job's news until it has ended: done, or cancelled. Raises the error that it ended with."""
        self.job = status.id
        self.check()
        if status.state.ended:
            yield status
        else:
            for status in self.client.events(status.id):  # noqa: B020, PLR1704  the latest is the one that counts
                self.check()
                yield status
        if status.state is JobState.FAILED and status.error:
            raise status.error

    def dreamed(
        self, request: DreamRequest | SurfaceRequest, kind: type[_Result], *, shows: bool = False
    ) -> Generator[Progress | Preview, None, _Result]:
        """Submit a dream and yield how it comes along; with `shows`, pictures of it too.

        Returns its result, which is of this kind.
        """
        status = self.client.submit(request)
        seen = 0
        for status in self.followed(status):  # noqa: B020  the last one is the one that counts
            if isinstance(status.progress, Progress) and status.state is JobState.RUNNING:
                yield status.progress
            if shows and status.preview > seen:
                seen = status.preview
                with suppress(NotFoundError):  # it has just ended
                    yield Preview(self.client.preview(status.id))
        if not isinstance(status.result, kind):
            raise CancelledError("The dream was cancelled on the server.")
        return status.result

    def _run(self) -> None:
        try:
            for update in self.work():
                self.updates.put(update)
                self.check()
        except DeepDreamError as error:
            self.updates.put(error)
        except Exception as error:  # thread boundary: Blender's side shows it
            log.exception("a %s met a defect", self._what)
            self.updates.put(InternalError(f"{type(error).__name__}: {error}", "Please report this."))


@dataclass(frozen=True)
class Finished:
    """The dream lies at its destination. job: its id. transfer, dream: seconds spent moving bytes and waiting.

    seconds: what the server took for it, once; one that it knew already takes none to wait for.
    detail: the hash of what it hands on to the frame after it, if that was asked for.
    """

    job: str
    transfer: float
    dream: float
    seconds: float
    detail: str | None = None


class Upload:
    """Files on their way to the server before anybody asks for them, in a thread of its own."""

    def __init__(self, client: DreamClient, files: Iterable[Path]) -> None:
        self._client = client
        self._files = [*files]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deepdream-upload", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join()

    def stop(self) -> None:
        """Begin no other file, and wait for the one in hand."""
        self._stopped.set()
        self.wait()

    def _run(self) -> None:
        try:
            for path in self._files:
                if not self._stopped.is_set():
                    self._client.put_blob(path)
        except DeepDreamError as error:  # the dream that needs them sends them again, and tells
            log.info("not sent ahead: %s", error)


class DreamTask(ServerTask):
    """Upload, submit, follow, download. `updates` gets Progress and Previews, then one Finished or one error."""

    def __init__(
        self,
        client: DreamClient,
        request: DreamRequest,
        files: dict[str, Path],
        destination: Path,
        detail: Path,
        *,
        shows: bool = False,
    ) -> None:
        """files: where the blobs that the request names lie. destination: where the dream's EXR is written; detail:
        where what it hands on is, if the request says so. shows: whether pictures of it are wanted meanwhile."""
        super().__init__(client, "dream")
        self._shows = shows
        self._request = request
        self._files = files
        self._destination = destination
        self._detail = detail
        self.start()

    def work(self) -> Iterator[Progress | Preview | Finished]:
        started = time.perf_counter()
        for path in self._files.values():
            self.client.put_blob(path)
        self.check()
        uploaded = time.perf_counter()
        result = yield from self.dreamed(self._request, DreamResult, shows=self._shows)
        dreamed = time.perf_counter()
        self._fetch(result)
        transfer = uploaded - started + time.perf_counter() - dreamed
        yield Finished(str(self.job), transfer, dreamed - uploaded, result.seconds, result.detail)

    def _fetch(self, result: DreamResult) -> None:
        self.client.get_blob(result.image, self._destination)
        if result.detail:
            self.client.get_blob(result.detail, self._detail)
