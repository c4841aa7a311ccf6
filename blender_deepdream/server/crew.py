# SPDX-License-Identifier: GPL-3.0-or-later
"""The workers of a server, and which of them takes which job.

Each belongs to a task of the event loop, which waits for a job, has the worker ready, and takes what is next by then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from ..protocol.errors import DeepDreamError
from .bell import Bell, heard
from .hired import Hired
from .job import Job
from .runner import Runner
from .waiting import Waiting

log = logging.getLogger(__name__)

LINGER_SECONDS = 2.0
"""How long a patient job waits after others: whoever dreams frame by frame comes again at once."""

RETRY_SECONDS = 30.0
"""How long a worker that does not start is left alone, where others do its work."""


class Crew:
    """hire: makes the worker of a number from 0; none is started yet. count: how many; None for one for each GPU.

    work: has a runner work on a job that was taken out of `waiting`, to its end.
    """

    def __init__(
        self,
        hire: Callable[[int], Hired],
        count: int | None,
        waiting: Waiting,
        work: Callable[[Runner, Job], Awaitable[None]],
    ) -> None:
        self._hire = hire
        self._grows = count is None
        self._waiting = waiting
        self._work = work
        self._runners = [Runner(hire(number)) for number in range(count or 1)]
        self._tasks: list[asyncio.Task[None]] = []
        self._bell = Bell()
        self._last_quick = -LINGER_SECONDS

    @property
    def chief(self) -> Hired:
        """The one that answers questions: all of them see the same library."""
        return self._runners[0].worker

    @property
    def running(self) -> list[Job]:
        return [runner.job for runner in self._runners if runner.job is not None]

    @property
    def size(self) -> int:
        return len(self._runners)

    def start(self) -> None:
        """Begin to take jobs, and warm the workers up: the first dream should not wait for them."""
        self._tasks = [asyncio.create_task(self._serve(runner)) for runner in self._runners]

    async def close(self) -> None:
        """End the jobs at work and the workers."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.gather(*(runner.worker.close() for runner in self._runners))

    def note(self, job: Job) -> None:
        """A job has come to wait: a patient one makes room for it, if nobody else is free."""
        self._bell.ring()
        if job.patient or self._has_hands_free():
            return
        patient = next((runner for runner in self._runners if runner.job is not None and runner.job.patient), None)
        if patient is not None:
            patient.give_way()

    def cancel(self, job: Job) -> None:
        for runner in self._runners:
            runner.cancel(job)

    def others_wait(self) -> bool:
        """Whether a patient job should step back."""
        return self._waiting.impatient and not self._has_hands_free()

    def _has_hands_free(self) -> bool:
        return any(runner.job is None and runner.failure is None for runner in self._runners)

    async def _serve(self, runner: Runner) -> None:
        await self._started(runner)
        while True:
            await self._until_there_is_work(runner)
            # a job counts as queued while the worker starts: until then its cancelling is a matter of this process
            if not await self._started(runner) and any(other.failure is None for other in self._runners):
                self._bell.ring()  # somebody else's turn
                await asyncio.sleep(RETRY_SECONDS)
                continue
            job = self._next_for(runner)
            if job is None:
                continue
            self._take(runner, job)
            await self._work(runner, job)
            runner.job = None
            if not job.patient:
                self._last_quick = time.monotonic()

    async def _started(self, runner: Runner) -> bool:
        if await runner.start() and await self._fits(runner):
            await self._grow(runner)
            return True
        log.error("a worker is of no use: %s", runner.failure)
        return False

    async def _fits(self, runner: Runner) -> bool:
        """Whether it gives the same bits as the first one, after which jobs are named."""
        own, first = await runner.worker.facts(), self.chief.known_facts
        if first is None or own.fingerprint == first.fingerprint:
            return True
        runner.failure = DeepDreamError(
            f"It dreams with {own.fingerprint}, the first one with {first.fingerprint}.",
            "Run a server of its own for each kind of GPU.",
        )
        return False

    async def _grow(self, runner: Runner) -> None:
        """One worker for each GPU, once the first one has said how many there are."""
        if not self._grows:
            return
        self._grows = False
        for number in range(1, (await runner.worker.facts()).accelerators):
            other = Runner(self._hire(number))
            self._runners.append(other)
            self._tasks.append(asyncio.create_task(self._serve(other)))

    async def _until_there_is_work(self, runner: Runner) -> None:
        """Before a patient job: see whether others come back."""
        runner.waits = True
        try:
            while True:
                rung, job = self._bell.next, self._next_for(runner)
                if job is None:
                    await rung.wait()
                    continue
                left = self._last_quick + LINGER_SECONDS - time.monotonic() if job.patient else 0
                if left <= 0:
                    return
                await heard(rung, left)
        finally:
            runner.waits = False

    def _next_for(self, runner: Runner) -> Job | None:
        """The next job that is not better left to another one, who waits and worked for the same client."""
        for job in self._waiting.in_order(self.running):
            better = [other for other in self._runners if other.waits and other.last_client == job.owner]
            if not better or runner.last_client == job.owner:
                return job
        return None

    def _take(self, runner: Runner, job: Job) -> None:
        runner.job, runner.last_client = job, job.owner
        self._waiting.serve(job)
        self._waiting.touch()
        self._bell.ring()  # others may have left this one to us
