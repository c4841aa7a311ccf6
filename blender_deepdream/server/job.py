# SPDX-License-Identifier: GPL-3.0-or-later
"""One job and everybody who waits for it."""

from __future__ import annotations

import asyncio
import time
from enum import IntEnum
from typing import NamedTuple

from ..protocol.errors import DeepDreamError
from ..protocol.jobs import JobProgress, JobResult, JobState
from ..protocol.training import TrainRequest
from .bell import Bell
from .resolving import Resolved

FETCH_SECONDS = 24 * 3600.0
"""How long a result is kept for those who wanted it, and have not come."""


class Client(NamedTuple):
    """Who wants a job. name: the token's, and what a program calls itself. batch: whether nobody sits before it."""

    name: str
    token: str = ""
    batch: bool = False


class Urgency(IntEnum):
    """Whose turn comes first: people who look on, then batches, then what may take hours."""

    INTERACTIVE = 0
    BATCH = 1
    PATIENT = 2


class Preview(NamedTuple):
    """The latest picture of a job that is running, a JPEG, and the how-manieth it is: 0 before the first."""

    number: int = 0
    jpeg: bytes = b""


class Job:
    """One job and everybody who waits for it, the one who asked first at the head."""

    def __init__(self, resolved: Resolved) -> None:
        self.id = resolved.id
        self.resolved = resolved
        self.wants: dict[str, Client] = {}
        self.state = JobState.QUEUED
        self.progress: JobProgress | None = None
        self.preview = Preview()
        self.result: JobResult | None = None
        self.error: DeepDreamError | None = None
        self.begun = False
        """Whether it ran already, and gave way: then it is ended in the worker, which keeps what it came to."""
        self.unfetched: frozenset[str] = frozenset()
        """Blobs of its result that nobody has fetched yet."""
        self.seconds: float | None = None
        """At work, when it has ended; None if it never was."""
        self._began: float | None = None
        self._ended = 0.0
        self._bell = Bell()

    @property
    def kind(self) -> str:
        return self.resolved.request.KIND

    @property
    def patient(self) -> bool:
        """Whether it lets others go first, even when it runs: it goes on where it was."""
        return isinstance(self.resolved.request, TrainRequest)

    @property
    def urgency(self) -> Urgency:
        if self.patient:
            return Urgency.PATIENT
        batch = bool(self.wants) and all(client.batch for client in self.wants.values())
        return Urgency.BATCH if batch else Urgency.INTERACTIVE

    @property
    def owner(self) -> str:
        """Whose turn it takes: the client's that asked first of those who still want it."""
        return next(iter(self.wants), "")

    @property
    def needs(self) -> frozenset[str]:
        """Blobs that must stay: what it is made from, and what of its result nobody has fetched, for a while."""
        if not self.state.ended:
            return frozenset(self.resolved.request.blobs)
        return self.unfetched if time.monotonic() - self._ended < FETCH_SECONDS else frozenset()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change. Take it before reading the job, so that no change falls in between."""
        return self._bell.next

    def become(self, state: JobState, *, result: JobResult | None = None, error: DeepDreamError | None = None) -> None:
        self.state, self.result, self.error = state, result, error
        if state.ended or not self.begun:
            self.progress, self.preview = None, Preview()
        if state is JobState.RUNNING:
            self._began = time.monotonic()
        if state.ended:
            self._ended = time.monotonic()
            self.seconds = None if self._began is None else self._ended - self._began
            self.unfetched = frozenset(result.blobs) if result and self.wants else frozenset()
        self.touch()

    def advance(self, progress: JobProgress) -> None:
        self.progress = progress
        self.touch()

    def show(self, jpeg: bytes) -> None:
        self.preview = Preview(self.preview.number + 1, jpeg)
        self.touch()

    def forget_progress(self) -> None:
        """The job begins anew: what was told of its way is no longer true."""
        self.progress, self.preview = None, Preview()
        self.touch()

    def touch(self) -> None:
        """Wake everybody who waits for `changed`."""
        self._bell.ring()
