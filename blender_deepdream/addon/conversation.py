# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with the dream server: found or started when first needed, and reached for again when lost."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..protocol.errors import ServerUnavailableError
from ..protocol.messages import DreamRequest, Progress
from .run import Event, Stopwatch
from .sight import Files
from .task import Asking, DreamTask, Finished, Preview, Upload

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

_Answer = TypeVar("_Answer")
_Event = TypeVar("_Event")


@dataclass(frozen=True)
class Watch:
    """How a dream is followed.

    event: what is yielded of the progress or of a picture of the dream so far, None where there is no news.
    meanwhile: what Blender does once, while the server dreams.
    """

    event: Callable[[Progress | Preview | None], Event]
    meanwhile: Callable[[], None]


class Conversation:
    """connect: finds a server or starts one. patience: seconds to wait for news before yielding."""

    def __init__(self, connect: Callable[[], DreamClient], patience: float, seconds: Stopwatch) -> None:
        self._connect = connect
        self._patience = patience
        self._seconds = seconds
        self._client: DreamClient | None = None
        self._upload: Upload | None = None

    def meet(self) -> Iterator[None]:
        """Find the server, or start it, yielding meanwhile: nobody stands still for it."""
        with self._seconds.timed("server"):
            self._client = yield from Asking(self._connect).answer(self._patience, None)

    def resolve(self, request: DreamRequest, waiting: _Event) -> Generator[_Event, None, str]:
        """Returns the id that the server would give to this request: the same id means the same pixels. Yields
        `waiting` meanwhile."""
        return (yield from self._reached(lambda client: client.resolve(request), waiting))

    def dream(
        self,
        request: DreamRequest,
        blobs: Files,
        destination: Path,
        detail: Path,
        watch: Watch,
    ) -> Iterator[Event]:
        """Dream on the server; a server that is lost in the middle is reached for once more. Returns Finished.

        destination, detail: as for a DreamTask.
        """
        for last_try in (False, True):
            try:
                return (yield from self._watch(request, blobs, destination, detail, watch))
            except ServerUnavailableError:
                if last_try:
                    raise
                self._client = None

    def _watch(
        self,
        request: DreamRequest,
        blobs: Files,
        destination: Path,
        detail: Path,
        watch: Watch,
    ) -> Iterator[Event]:
        if self._upload:
            self._upload.wait()
        shows = not self._patience  # in a window
        client = yield from self._reached(lambda client: client, watch.event(None))
        task = DreamTask(client, request, blobs, destination, detail, shows=shows)
        try:
            watch.meanwhile()
            begun = time.perf_counter()
            for update in task.news(self._patience):
                if isinstance(update, Finished):
                    self._count(update, time.perf_counter() - begun)
                    return update
                yield watch.event(update)
        finally:
            task.cancel()

    def _count(self, finished: Finished, waited: float) -> None:
        """What was waited for only: Blender's own work meanwhile is counted as what it was."""
        transfer = min(finished.transfer, waited)
        self._seconds.add("transfer", transfer)
        self._seconds.add("dream", waited - transfer)

    def send_ahead(self, paths: Iterable[Path]) -> None:
        """Let files be on the server before the dream that needs them."""
        if self._client:
            self._upload = Upload(self._client, paths)

    def close(self) -> None:
        """What is being sent ahead is let be: its files are about to go."""
        if self._upload:
            self._upload.stop()

    def _reached(self, ask: Callable[[DreamClient], _Answer], waiting: _Event) -> Generator[_Event, None, _Answer]:
        """Ask the server something, starting or finding it first if need be, and once more if it was lost.

        Yields `waiting` meanwhile: a server may be silent for long, and no window stands still for it.
        """
        if self._client:
            with suppress(ServerUnavailableError), self._seconds.timed("transfer"):
                return (yield from Asking(functools.partial(ask, self._client)).answer(self._patience, waiting))
        with self._seconds.timed("server"):
            self._client = yield from Asking(self._connect).answer(self._patience, waiting)
        with self._seconds.timed("transfer"):
            return (yield from Asking(functools.partial(ask, self._client)).answer(self._patience, waiting))
