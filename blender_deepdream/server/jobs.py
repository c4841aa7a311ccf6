# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: what they are called, who wants them, where they stand.

All of this lives in the event loop of the server, which is its only owner: no locks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from ..protocol.brains import BrainResult
from ..protocol.errors import (
    BusyError,
    CancelledError,
    DeepDreamError,
    GaveWayError,
    InternalError,
    MissingBlobError,
    NotFoundError,
    UnknownBrainError,
)
from ..protocol.jobs import JobRequest, JobResult, JobState, JobStatus
from ..protocol.training import TrainResult
from .bell import heard
from .crew import Crew
from .hired import Hired
from .job import Client, Job
from .journal import Entry, Journal
from .limits import Limits
from .metrics import Metrics
from .resolving import Resolved, resolve
from .runner import Runner
from .store import KeptResult, Store
from .waiting import Waiting

log = logging.getLogger(__name__)

MAX_ENDED = 1000
"""Ended jobs that are remembered; results of older ones are still on disk."""


class JobQueue:
    """Every job the server knows."""

    def __init__(
        self,
        store: Store,
        hire: Callable[[int], Hired],
        workers: int | None = 1,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        journal: Journal | None = None,
    ) -> None:
        """hire: makes the worker of a number. workers: how many; None for one for each GPU. journal: of what is not
        done, for the next queue, which begins with it."""
        self._store = store
        self._limits = limits or Limits()
        self._metrics = metrics or Metrics()
        self._metrics.watch("jobs_queued", "Jobs that wait", lambda: self.queued)
        self._metrics.watch("jobs_running", "Jobs at work", lambda: len(self._crew.running))
        self._metrics.watch("workers", "Worker processes", lambda: self.workers)
        self._journal = journal
        self._jobs: dict[str, Job] = {}
        self._waiting = Waiting()
        self._crew = Crew(hire, workers, self._waiting, self._work)
        self._closing = False

    @property
    def worker(self) -> Hired:
        """The one to put questions to."""
        return self._crew.chief

    @property
    def workers(self) -> int:
        return self._crew.size

    @property
    def needed_blobs(self) -> set[str]:
        """What jobs need, and what clients have still to fetch."""
        return {sha for job in self._jobs.values() for sha in job.needs}

    def fetched(self, sha: str) -> None:
        """A client has been here for this blob."""
        for job in self._jobs.values():
            job.unfetched -= {sha}

    @property
    def queued(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> str | None:
        """One of those at work."""
        return next((job.id for job in self._crew.running), None)

    async def resolve(self, request: JobRequest) -> Resolved:
        """What this request comes to here, without running it.

        Raises UnknownBrainError, UnknownLayerError; WorkerLostError if the engine cannot even start.
        """
        try:
            return resolve(request, await self.worker.facts())
        except UnknownBrainError:
            # it may have come into the library behind the server's back
            return resolve(request, await self.worker.fresh_facts())

    async def submit(self, request: JobRequest, client: Client) -> JobStatus:
        """The job of this request: the one there is, or a new one in the queue.

        A result on disk that is undamaged answers at once. Raises what `resolve` does, MissingBlobError, and BusyError
        if there is too much to do already.
        """
        resolved = await self.resolve(request)
        if self._active(resolved.id) is None:
            result = await self._good_result(resolved.id)
            if result is None:
                # first, for it marks them as used: they stay while a batch waits for its turn
                await asyncio.to_thread(self._check_blobs, request)
                self._check_busy(client)
            if self._active(resolved.id) is None:  # nobody was quicker meanwhile
                self._enter(resolved, client, result)
        job = self._jobs[resolved.id]
        job.wants.setdefault(client.name, client)
        await self._note(job)
        return self._status(job)

    async def status(self, job_id: str) -> JobStatus:
        """Raises NotFoundError."""
        if job := self._jobs.get(job_id):
            return self._status(job)
        result = await asyncio.to_thread(self._store.result, job_id)
        if result is None:
            raise NotFoundError(
                f"There is no job {job_id}.", "A server forgets unfinished jobs when it ends: submit it again."
            )
        return JobStatus(job_id, JobState.DONE, result=result.result, kind=result.kind)

    def preview(self, job_id: str) -> bytes:
        """The latest picture of a job that is running, a JPEG. Raises NotFoundError."""
        job = self._jobs.get(job_id)
        if job is None or not job.preview.number:
            raise NotFoundError(
                f"Job {job_id} has no preview.", "There is one from half a second after a dream's start to its end."
            )
        return job.preview.jpeg

    async def follow(self, job_id: str, heartbeat: float) -> AsyncIterator[JobStatus | None]:
        """The job's status now and after each change, until it ended; None after `heartbeat` seconds of nothing.

        A reader that is slow sees fewer, newer ones: nothing piles up. Raises NotFoundError.
        """
        status = await self.status(job_id)
        job = self._jobs.get(job_id)
        while job is not None and not self._closing:
            changed = job.changed
            status = self._status(job)
            if status.state.ended:
                break
            yield status
            while not await heard(changed, heartbeat):
                yield None
        if status.state.ended:
            yield status

    async def cancel(self, job_id: str, client: Client) -> JobStatus:
        """Note that this client no longer wants the job; one that nobody wants stops. Raises NotFoundError."""
        job = self._jobs.get(job_id)
        if job is None:
            return await self.status(job_id)
        job.wants.pop(client.name, None)
        if not job.wants and job.state is JobState.QUEUED and not job.begun:
            self._waiting.remove(job)
            self._end(job, JobState.CANCELLED, error=_cancelled())
            self._waiting.touch()
        elif not job.wants and job.state is JobState.RUNNING:
            self._crew.cancel(job)
        await self._note(job)
        return self._status(job)

    async def start(self) -> None:
        """Begin to run jobs, those first that the journal tells of."""
        if self._journal is not None:
            entries = await asyncio.to_thread(self._journal.read)
            looks = (asyncio.to_thread(self._store.good_result, entry.resolved.id) for entry in entries)
            for entry, kept in zip(entries, await asyncio.gather(*looks), strict=True):
                self._take_up(entry, kept, self._journal)
        self._crew.start()

    async def close(self) -> None:
        """End the event streams, the running jobs and the workers."""
        self._closing = True
        for job in self._jobs.values():
            job.touch()
        await self._crew.close()
        if self._journal is not None:
            await asyncio.to_thread(self._journal.close)

    def _take_up(self, entry: Entry, kept: KeptResult | None, journal: Journal) -> None:
        """A job of the queue before this one. kept: its result, if it was done in its last moment."""
        resolved, wants = entry.resolved, {client.name: client for client in entry.clients}
        if not wants:  # its last one let it go while it ran
            journal.forget(resolved.id)
            return
        # whether a brain is still in the library will be seen when it is made again
        result = kept.result if kept and not isinstance(kept.result, BrainResult | TrainResult) else None
        self._enter(resolved, next(iter(wants.values())), result)
        self._jobs[resolved.id].wants |= wants

    async def _note(self, job: Job) -> None:
        """Have the journal know who wants the job, or that it has ended."""
        if self._journal is not None and not job.state.ended:
            noted = self._journal.note(job.resolved, tuple(job.wants.values()))
            await asyncio.shield(asyncio.wrap_future(noted))

    async def _work(self, runner: Runner, job: Job) -> None:
        """Run a job to its end, whatever that is, or until it waits again."""
        try:
            if runner.failure is not None:
                raise runner.failure
            job.become(JobState.RUNNING)
            result = await runner.work_on(job, self._crew.others_wait)
            await asyncio.to_thread(self._store.keep_result, job.id, job.kind, result)
            if isinstance(result, BrainResult | TrainResult):
                await self._list_brains_anew()
            self._end(job, JobState.DONE, result=result)
        except GaveWayError:
            job.begun = True
            self._enqueue(job)
        except CancelledError as error:
            if job.wants:  # somebody asked for it again while it was being stopped
                self._enqueue(job)
            else:
                self._end(job, JobState.CANCELLED, error=error if error.hint else _cancelled())
            if job.patient:  # it may have kept what it came to
                await self._list_brains_anew()
        except DeepDreamError as error:
            self._end(job, JobState.FAILED, error=error)
            if isinstance(error, UnknownBrainError):  # the library has changed behind the server's back
                await self._list_brains_anew()
        except Exception:  # the boundary of this task: a defect must not stop the jobs that follow
            log.exception("job %s met a defect", job.id, extra={"job": job.id})
            self._end(job, JobState.FAILED, error=InternalError("The server met a defect of its own; see its log."))

    async def _list_brains_anew(self) -> None:
        try:
            await self._crew.chief.fresh_facts()
        except DeepDreamError as error:  # whoever needs the list next asks again
            log.warning("the brains could not be listed: %s", error)

    def _check_busy(self, client: Client) -> None:
        """Raises BusyError if a new job of this client's is one too many."""
        active = [job for job in self._jobs.values() if not job.state.ended]
        own = sum(any(other.token == client.token for other in job.wants.values()) for job in active)
        if len(active) >= self._limits.queue:
            raise BusyError(f"{len(active)} jobs wait already.", "Send it again in a while.")
        if own >= self._limits.jobs_per_token:
            raise BusyError(f"{own} jobs of the token {client.token!r} wait already.", "Send it again in a while.")

    def _enter(self, resolved: Resolved, client: Client, result: JobResult | None) -> None:
        job = self._jobs.setdefault(resolved.id, Job(resolved))
        job.wants = {client.name: client}
        if result is not None:
            self._end(job, JobState.DONE, result=result)
        else:
            self._enqueue(job)

    def _enqueue(self, job: Job) -> None:
        self._waiting.add(job)
        job.become(JobState.QUEUED)
        self._crew.note(job)

    def _end(
        self, job: Job, state: JobState, *, result: JobResult | None = None, error: DeepDreamError | None = None
    ) -> None:
        job.become(state, result=result, error=error)
        if self._journal is not None:
            self._journal.forget(job.id)
        self._metrics.job_ended(job.kind, str(state), job.seconds)
        facts = {"job": job.id, "kind": job.kind, "state": str(state), "seconds": job.seconds and round(job.seconds, 3)}
        log.info("job %s %s", job.id, state, extra=facts)
        # the most recently ended stand last, and the oldest are forgotten
        self._jobs[job.id] = self._jobs.pop(job.id)
        ended = [known.id for known in self._jobs.values() if known.state.ended]
        for job_id in ended[:-MAX_ENDED]:
            del self._jobs[job_id]

    def _active(self, job_id: str) -> Job | None:
        job = self._jobs.get(job_id)
        return job if job is not None and not job.state.ended else None

    async def _good_result(self, job_id: str) -> JobResult | None:
        """The result kept for a job, if it is still true."""
        kept = await asyncio.to_thread(self._store.good_result, job_id)
        if kept is None or not isinstance(kept.result, BrainResult | TrainResult):
            return kept and kept.result
        brain = kept.result.brain
        there = (await self.worker.fresh_facts()).brains.get(brain.name)
        return kept.result if there is not None and there.id == brain.id else None

    def _check_blobs(self, request: JobRequest) -> None:
        for sha in self._store.missing(request.blobs):
            raise MissingBlobError(f"The server does not have blob {sha}.", "Send it first.")

    def _status(self, job: Job) -> JobStatus:
        position = self._waiting.place(job, self._crew.running) if job.state is JobState.QUEUED else 0
        return JobStatus(job.id, job.state, position, job.progress, job.result, job.error, job.kind, job.preview.number)


def _cancelled() -> CancelledError:
    return CancelledError("The job was cancelled.", "Submit it again to start it anew.")
