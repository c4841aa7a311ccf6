# SPDX-License-Identifier: GPL-3.0-or-later
"""A dreamer: one replica, which owns a GPU or CPUs and keeps a worker process on them.

What goes to and fro are JSON objects. The ingress sends an order and hears `{"is": "begun" | "progress" | "preview" |
"done" | "failed", ...}`; while it works the dreamer listens to the ingress, which may say "cancel" or "give_way".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from ray import serve

from ...protocol.errors import DeepDreamError, InputError, InternalError
from ...protocol.jobs import JobProgress, request_from_json
from ...protocol.training import TrainRequest
from ..bell import Bell
from ..job import Preview
from ..logs import log_to_stderr
from ..resolving import Resolved
from ..supervisor import CANCEL_TRAINING_SECONDS, Worker, WorkerOptions
from .nodes import check_mark
from .place import Desk, Place

log = logging.getLogger(__name__)

APPLICATION = "deepdream"
MAX_BRAINS = 16
"""Brains of which it is remembered that this dreamer has loaded them; how many really stay its memory decides."""

TELL_SECONDS = 0.25
"""At least between two things that are told of a job's way: each costs some ten milliseconds of processor time,
here, in the ingress and in the proxy."""


class Dreamer:
    """A replica of Ray Serve's. It takes one order at a time."""

    def __init__(self, options: WorkerOptions, place: Place, mark: str) -> None:
        """Raises StorageError if what is shared is not seen here."""
        log_to_stderr(as_json=options.log_json, who="dreamer")
        check_mark(place, mark)
        self._desk = Desk(place)
        self._worker = Worker(replace(options, data=self._desk.store.root, shared=self._desk.address))

    async def check_health(self) -> None:
        """Called by Serve before anything else, and now and then. Raises why the engine cannot work here."""
        self._desk.start()
        await self._worker.ready()

    async def facts(self) -> dict[str, Any]:
        """What names jobs, besides the brains."""
        facts = await self._worker.facts()
        return {"device": facts.device, "fingerprint": facts.fingerprint, "free_memory": self._worker.free_memory}

    async def work(self, order: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Work on one job, which ends with "done" or "failed". If nobody listens any more, it is let go."""
        await self.brain(serve.get_multiplexed_model_id())
        yield {"is": "begun"}
        job = Resolved(order["id"], request_from_json(order["request"]), order["brains"], {})
        news = _News()
        work = asyncio.create_task(self._end_of(job, order["engine"], news))
        ear = asyncio.create_task(self._listen(order["run"], job))
        try:
            while not work.done():
                await news.heard(work)
                for message in news.take():
                    yield message
            yield work.result()
        finally:
            ear.cancel()
            if not work.done():  # the ingress has gone, or waits no more
                self._let_go(job)
                await asyncio.wait([work], timeout=CANCEL_TRAINING_SECONDS)

    @serve.multiplexed(max_num_models_per_replica=MAX_BRAINS)  # type: ignore[untyped-decorator]
    async def brain(self, brain_id: str) -> str:
        """Note that this brain is loaded here from now on: Serve sends here whoever needs it. The job loads it."""
        return brain_id

    async def _end_of(self, job: Resolved, engine: str | None, news: _News) -> dict[str, Any]:
        """The last message of this job."""
        try:
            await self._check_engine(engine)
            result = (await self._worker.run(job, news)).to_json()
            return {"is": "done", "value": result, "free_memory": self._worker.free_memory}
        except DeepDreamError as error:
            return {"is": "failed", "error": error.to_wire()}
        except Exception:  # the boundary between the machines: report it, keep working
            log.exception("job %s met a defect", job.id, extra={"job": job.id})
            return {"is": "failed", "error": InternalError("The dreamer met a defect; see its log.").to_wire()}

    async def _check_engine(self, wanted: str | None) -> None:
        """Raises InputError if this machine would come to other bits than the job was promised, WorkerLostError."""
        own = (await self._worker.ready()).fingerprint
        if wanted not in (None, own):
            raise InputError(
                f"A machine of the cluster dreams with {own}, the job is named after {wanted}.",
                "Submit it again; if that does not help, keep machines of another kind out of the cluster.",
            )

    def _let_go(self, job: Resolved) -> None:
        """Nobody hears what it comes to: it will be done anew. A training goes on where it was then."""
        if isinstance(job.request, TrainRequest):
            self._worker.give_way(job.id)
        else:
            self._worker.cancel(job.id)

    async def _listen(self, run: str, job: Resolved) -> None:
        """Do as the ingress says until it says no more: then it is gone, and so is what it wanted."""
        ingress = serve.get_deployment_handle("Ingress", APPLICATION).options(stream=True)
        words = {"cancel": self._worker.cancel, "give_way": self._worker.give_way}
        try:
            async for word in ingress.words.remote(run):
                words[word](job.id)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the boundary to Ray: whatever it is, nobody waits for this job any more
            log.warning("the ingress is gone: %s", type(error).__name__, extra={"job": job.id})
        self._let_go(job)


class _News:
    """The latest of a job's way: what nobody took in time is replaced, so that nothing piles up."""

    def __init__(self) -> None:
        self._progress: JobProgress | None = None
        self._preview = Preview()
        self._bell = Bell()

    def advance(self, progress: JobProgress) -> None:
        self._progress = progress
        self._bell.ring()

    def show(self, jpeg: bytes) -> None:
        self._preview = Preview(self._preview.number + 1, jpeg)
        self._bell.ring()

    async def heard(self, work: asyncio.Task[Any]) -> None:
        """Wait until there is something to tell, or the end of `work`."""
        await asyncio.wait([work], timeout=TELL_SECONDS)
        if not work.done() and not self._progress and not self._preview.jpeg:
            bell = asyncio.create_task(self._bell.next.wait())
            await asyncio.wait([bell, work], return_when=asyncio.FIRST_COMPLETED)
            bell.cancel()

    def take(self) -> list[dict[str, Any]]:
        progress, preview = self._progress, self._preview
        self._progress, self._preview = None, Preview(preview.number)
        told = [{"is": "progress", "progress": progress.to_json()}] if progress else []
        return [*told, {"is": "preview", "jpeg": preview.jpeg}] if preview.jpeg else told
