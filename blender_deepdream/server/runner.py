# SPDX-License-Identifier: GPL-3.0-or-later
"""One worker and the job that it has in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..protocol.errors import CancelledError, DeepDreamError, GaveWayError, WorkerLostError
from ..protocol.jobs import JobResult
from .hired import Hired
from .job import Job


class Runner:
    """It tries again where a worker died.

    last_client: for whom it worked last: it still holds what the next frame of the same shot asks for.
    """

    def __init__(self, worker: Hired) -> None:
        self.worker = worker
        self.job: Job | None = None
        self.waits = False
        """Whether it would take a job at once."""
        self.last_client = ""
        self.failure: DeepDreamError | None = None
        """Why its worker does not start, if so."""

    async def start(self) -> bool:
        """Have a worker that is ready. Returns whether it is; else `failure` says why."""
        self.failure = None
        for _ in range(self.worker.attempts):
            try:
                await self.worker.ready()
                break
            except DeepDreamError as error:
                self.failure = error
        else:
            return False
        self.failure = None
        return True

    def cancel(self, job: Job) -> None:
        """Let go of the job, if it is at work here."""
        if self.job is job:
            self.worker.cancel(job.id)

    def give_way(self) -> None:
        """Put the job in hand aside."""
        if self.job is not None:
            self.worker.give_way(self.job.id)

    async def work_on(self, job: Job, others_wait: Callable[[], bool]) -> JobResult:
        """Raises what the engine raised, CancelledError, GaveWayError; WorkerLostError if it died of it each time."""
        lost: WorkerLostError | None = None
        for _ in range(self.worker.attempts):
            try:
                await self.worker.ready()
                if job.patient and others_wait():
                    raise GaveWayError("Others came first.")
                if not job.wants:
                    if not job.begun:
                        raise CancelledError("Nobody wants this job any more.")
                    asyncio.get_running_loop().call_soon(self.worker.cancel, job.id)
                return await self.worker.run(job.resolved, job)
            except WorkerLostError as error:
                if not job.wants:
                    raise CancelledError("Nobody wants this job any more.") from error
                lost = error
                job.forget_progress()
        assert lost is not None
        raise WorkerLostError(
            f"{lost.message} This happened {self.worker.attempts} times on this job.", lost.hint
        ) from lost
