# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that wait for a worker, and whose turn is next."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Collection, Iterator

from .job import Job, Urgency

MAX_REMEMBERED = 1000
"""Clients of whom it is remembered when they were served last."""

PLACES_SECONDS = 0.5
"""How old the places may be that are told, where nobody has come or gone."""


class Waiting:
    """People who look on come before batches, these before what is patient; among equals each client in its turn."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._served: dict[str, int] = {}
        self._turns = itertools.count(1)
        self._places: dict[str, int] | None = None
        self._placed = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    def add(self, job: Job) -> None:
        self._jobs.append(job)
        self._places = None

    def remove(self, job: Job) -> None:
        self._jobs.remove(job)
        self._places = None

    def serve(self, job: Job) -> None:
        """The job gets a worker: its client has had its turn."""
        self.remove(job)
        self._served.pop(job.owner, None)
        self._served[job.owner] = next(self._turns)
        if len(self._served) > MAX_REMEMBERED:
            del self._served[next(iter(self._served))]

    def in_order(self, running: Collection[Job] = ()) -> list[Job]:
        """As they would be worked on if no other came. running: jobs at work, which count as turns of their clients."""
        turns = Counter((job.urgency, job.owner) for job in running)
        ranks: dict[str, tuple[Urgency, int, int, int]] = {}
        for arrival, job in enumerate(self._jobs):
            whose = job.urgency, job.owner
            ranks[job.id] = (job.urgency, turns[whose], self._served.get(job.owner, 0), arrival)
            turns[whose] += 1
        return sorted(self._jobs, key=lambda job: ranks[job.id])

    def place(self, job: Job, running: Collection[Job]) -> int:
        """Where a job stands in that order; all who watch a long queue ask at once, and share one answer."""
        if self._places is None or time.monotonic() - self._placed > PLACES_SECONDS:
            self._places = {one.id: place for place, one in enumerate(self.in_order(running))}
            self._placed = time.monotonic()
        return self._places[job.id]

    @property
    def impatient(self) -> bool:
        """Whether a job waits before which a patient one steps back."""
        return any(not job.patient for job in self._jobs)

    def touch(self) -> None:
        """Places have changed: wake those who watch."""
        for job in self._jobs:
            job.touch()
