# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: what they are called, who wants them, where they stand, in which order they run.

All of this lives in the event loop of the server, which is its only owner: no locks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator

from ..protocol.brains import BrainResult
from ..protocol.errors import (
    CancelledError,
    DeepDreamError,
    GaveWayError,
    InternalError,
    MissingBlobError,
    NotFoundError,
    UnknownBrainError,
    WorkerLostError,
)
from ..protocol.jobs import JobRequest, JobResult, JobState, JobStatus
from ..protocol.training import TrainResult
from .job import Job
from .resolving import Resolved, resolve
from .store import Store
from .supervisor import Worker

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""How often a job runs if the worker dies on it."""

LINGER_SECONDS = 2.0
"""How long a patient job waits after others: whoever dreams frame by frame comes again at once."""

MAX_ENDED = 1000
"""Ended jobs that are remembered; results of older ones are still on disk."""


class JobQueue:
    """Every job the server knows, one of them running."""

    def __init__(self, store: Store, worker: Worker) -> None:
        self._store = store
        self._worker = worker
        self._jobs: dict[str, Job] = {}
        self._queue: deque[Job] = deque()
        self._running: Job | None = None
        self._work = asyncio.Event()
        self._last_quick = -LINGER_SECONDS
        self._closing = False
        self._runner: asyncio.Task[None] | None = None

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> str | None:
        return self._running.id if self._running else None

    async def resolve(self, request: JobRequest) -> Resolved:
        """What this request comes to here, without running it.

        Raises UnknownBrainError, UnknownLayerError; WorkerLostError if the engine cannot even start.
        """
        try:
            return resolve(request, await self._worker.facts())
        except UnknownBrainError:
            # it may have come into the library behind the server's back
            return resolve(request, await self._worker.fresh_facts())

    async def submit(self, request: JobRequest, client: str) -> JobStatus:
        """The job of this request: the one there is, or a new one in the queue.

        A result on disk that is undamaged answers at once. Raises what `resolve` does, and MissingBlobError.
        """
        resolved = await self.resolve(request)
        if self._active(resolved.id) is None:
            result = await self._good_result(resolved.id)
            if result is None:
                await asyncio.to_thread(self._check_blobs, request)
            if self._active(resolved.id) is None:  # nobody was quicker meanwhile
                self._enter(resolved, result)
        job = self._jobs[resolved.id]
        job.wants.add(client)
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
            while not await _happened(changed, heartbeat):
                yield None
        if status.state.ended:
            yield status

    async def cancel(self, job_id: str, client: str) -> JobStatus:
        """Note that this client no longer wants the job; one that nobody wants stops. Raises NotFoundError."""
        job = self._jobs.get(job_id)
        if job is None:
            return await self.status(job_id)
        job.wants.discard(client)
        if not job.wants and job.state is JobState.QUEUED and not job.begun:
            self._queue.remove(job)
            self._end(job, JobState.CANCELLED, error=_cancelled())
            self._touch_queued()
        elif not job.wants and job.state is JobState.RUNNING:
            self._worker.cancel(job_id)
        return self._status(job)

    def start(self) -> None:
        """Begin to run jobs, and warm the worker up: the first dream should not wait for it."""
        self._runner = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End the event streams, the running job and the worker."""
        self._closing = True
        for job in self._jobs.values():
            job.touch()
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])
        await self._worker.close()

    async def _run(self) -> None:
        if failure := await self._start_worker():
            log.error("%s", failure)
        while True:
            while not self._queue:
                self._work.clear()
                await self._work.wait()
            await self._linger()
            # a job counts as queued while the worker starts: until then its cancelling is a matter of this process
            failure = await self._start_worker()
            if not self._queue:
                continue
            job = self._running = self._in_order()[0]
            self._queue.remove(job)
            self._touch_queued()
            if failure is None:
                job.become(JobState.RUNNING)
                await self._run_job(job)
            else:
                self._end(job, JobState.FAILED, error=failure)
            self._running = None
            if not job.patient:
                self._last_quick = time.monotonic()

    async def _linger(self) -> None:
        """Before a patient job: see whether others come back."""
        while self._queue and not self._others_wait():
            left = self._last_quick + LINGER_SECONDS - time.monotonic()
            if left <= 0:
                return
            self._work.clear()
            await _happened(self._work, left)

    async def _start_worker(self) -> DeepDreamError | None:
        failure: DeepDreamError | None = None
        for _ in range(ATTEMPTS):
            try:
                await self._worker.ready()
                return None
            except DeepDreamError as error:
                failure = error
        return failure

    async def _run_job(self, job: Job) -> None:
        try:
            result = await self._work_on(job)
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
            log.exception("job %s met a defect", job.id)
            self._end(job, JobState.FAILED, error=InternalError("The server met a defect of its own; see its log."))

    async def _list_brains_anew(self) -> None:
        try:
            await self._worker.fresh_facts()
        except DeepDreamError as error:  # whoever needs the list next asks again
            log.warning("the brains could not be listed: %s", error)

    async def _work_on(self, job: Job) -> JobResult:
        lost: WorkerLostError | None = None
        for _ in range(ATTEMPTS):
            try:
                await self._worker.ready()
                if job.patient and self._others_wait():
                    raise GaveWayError("Others came first.")
                if not job.wants:
                    if not job.begun:
                        raise CancelledError("Nobody wants this job any more.")
                    asyncio.get_running_loop().call_soon(self._worker.cancel, job.id)
                return await self._worker.run(job.resolved, job)
            except WorkerLostError as error:
                if not job.wants:
                    raise CancelledError("Nobody wants this job any more.") from error
                lost = error
                job.forget_progress()
        assert lost is not None
        raise WorkerLostError(f"{lost.message} This happened {ATTEMPTS} times on this job.", lost.hint) from lost

    def _enter(self, resolved: Resolved, result: JobResult | None) -> None:
        job = self._jobs.setdefault(resolved.id, Job(resolved))
        job.wants.clear()
        if result is not None:
            self._end(job, JobState.DONE, result=result)
        else:
            self._enqueue(job)

    def _enqueue(self, job: Job) -> None:
        self._queue.append(job)
        job.become(JobState.QUEUED)
        self._work.set()
        if self._running is not None and self._running.patient and not job.patient:
            self._worker.give_way(self._running.id)

    def _end(
        self, job: Job, state: JobState, *, result: JobResult | None = None, error: DeepDreamError | None = None
    ) -> None:
        job.become(state, result=result, error=error)
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
        there = (await self._worker.fresh_facts()).brains.get(brain.name)
        return kept.result if there is not None and there.id == brain.id else None

    def _check_blobs(self, request: JobRequest) -> None:
        for sha in request.blobs:
            if not self._store.has_blob(sha):
                raise MissingBlobError(f"The server does not have blob {sha}.", "Send it first.")

    def _status(self, job: Job) -> JobStatus:
        position = self._in_order().index(job) if job.state is JobState.QUEUED else 0
        return JobStatus(job.id, job.state, position, job.progress, job.result, job.error, job.kind, job.preview.number)

    def _in_order(self) -> list[Job]:
        """The queue as it will be worked on: patient jobs last."""
        return sorted(self._queue, key=lambda job: job.patient)

    def _others_wait(self) -> bool:
        """Whether a job that is not patient is in the queue."""
        return any(not job.patient for job in self._queue)

    def _touch_queued(self) -> None:
        for job in self._queue:
            job.touch()


def _cancelled() -> CancelledError:
    return CancelledError("The job was cancelled.", "Submit it again to start it anew.")


async def _happened(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
