# SPDX-License-Identifier: GPL-3.0-or-later
"""The ingress's side of the dreamers: as many hands of a crew as there may be dreamers, each good for one job.

Which dreamer a job goes to is Serve's to choose: a free one, best one that has loaded the brain. How many there are
follows from the jobs that hands hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from ...protocol.errors import CancelledError, DeepDreamError, GaveWayError, WorkerLostError, from_wire
from ...protocol.jobs import KINDS, JobResult
from ...protocol.training import TrainRequest
from ..documents import Documents
from ..report import Report
from ..resolving import Facts, Resolved
from ..supervisor import ANSWER_SECONDS, Worker

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often a job runs if the dreamer is gone each time: machines die for reasons of their own."""

ROOM_SECONDS = 5.0
"""How long a job waits for a dreamer before a training makes room for it."""


class Fleet:
    """All dreamers. librarian: a worker beside us, which answers questions about brains. queue, memo: where a
    document tells a later ingress of the same launch what the dreamers are, and its name."""

    def __init__(self, dreamers: DeploymentHandle, librarian: Worker, queue: Documents, memo: str) -> None:
        self.dreamers = dreamers
        self.librarian = librarian
        self.free_memory: int | None = None
        self._queue, self._memo = queue, memo
        self._own: Facts | None = None
        self._asking = asyncio.Lock()
        self._runs: dict[str, Run] = {}

    @property
    def known_facts(self) -> Facts | None:
        """Of the dreamers' engine, with the library's brains."""
        library = self.librarian.known_facts
        return self._own and library and replace(self._own, brains=library.brains)

    async def ready(self) -> Facts:
        """Waits for the first dreamer, however long it takes. Raises WorkerLostError, and why the engine fails."""
        library = await self.librarian.ready()
        async with self._asking:
            self._own = self._own or await asyncio.to_thread(self._remembered) or await self._asked()
        return replace(self._own, brains=library.brains)

    def begin(self, run: Run) -> None:
        self._runs[run.id] = run

    def end(self, run: Run) -> None:
        self._runs.pop(run.id, None)
        run.words.put_nowait("")

    async def words(self, run_id: str) -> AsyncIterator[str]:
        """What a run's dreamer is to be told; ends when nobody waits for it any more."""
        run = self._runs.get(run_id)
        while run is not None and (word := await run.words.get()):
            yield word

    def make_room(self, waiting: Run) -> None:
        """A job has waited for a dreamer: the first training at work gives its own to it."""
        training = next((run for run in self._runs.values() if run.begun and run.patient), None)
        if training is not None and not waiting.begun and not waiting.patient:
            training.say("give_way")

    async def _asked(self) -> Facts:
        try:
            found = await self.dreamers.facts.remote()
        except (RayError, RayServeException) as error:
            raise _gone(error) from error
        self.free_memory = found["free_memory"]
        facts = Facts(found["device"], found["fingerprint"], {})
        told = json.dumps({"device": facts.device, "fingerprint": facts.fingerprint}).encode()
        await asyncio.to_thread(self._queue.put, self._memo, told)
        return facts

    def _remembered(self) -> Facts | None:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found = json.loads(self._queue.read(self._memo) or b"")
            return Facts(str(found["device"]), str(found["fingerprint"]), {})
        return None


class Run:
    """One attempt at a job."""

    def __init__(self, job: Resolved, report: Report) -> None:
        self.id = uuid.uuid4().hex
        self.job = job
        self.report = report
        self.begun = False
        self.words: asyncio.Queue[str] = asyncio.Queue()
        """For its dreamer; an empty one is the last."""
        self.given_up: DeepDreamError | None = None
        """Why nobody waits for a dreamer any more."""
        self.stream: Any = None

    @property
    def patient(self) -> bool:
        return isinstance(self.job.request, TrainRequest)

    @property
    def order(self) -> dict[str, Any]:
        job = self.job
        request, engine = job.request.to_json(), job.content.get("engine")
        return {"run": self.id, "id": job.id, "request": request, "brains": dict(job.brains), "engine": engine}

    def say(self, word: str) -> None:
        """To its dreamer; where there is none yet, it shall not have one."""
        if self.begun:
            self.words.put_nowait(word)
            return
        cancelled = CancelledError("Nobody wants this job any more.")
        self.given_up = cancelled if word == "cancel" else GaveWayError("Others came first.")
        if self.stream is not None:
            self.stream.cancel()


class Hand:
    """A crew's worker, somewhere in the cluster: `hired.Hired`."""

    attempts = ATTEMPTS

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._run: Run | None = None

    @property
    def free_memory(self) -> int | None:
        return self._fleet.free_memory

    @property
    def known_facts(self) -> Facts | None:
        return self._fleet.known_facts

    async def facts(self) -> Facts:
        """Raises WorkerLostError also where there is no dreamer yet."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return self.known_facts or await self.ready()
        except TimeoutError as error:
            raise WorkerLostError(
                "No dreamer of the cluster has started yet.",
                "Try again in a while; whoever runs the server sees in `ray status` what it waits for.",
            ) from error

    async def ready(self) -> Facts:
        return await self._fleet.ready()

    async def fresh_facts(self) -> Facts:
        await self._fleet.librarian.fresh_facts()
        return await self.facts()

    async def brain_details(self, name: str) -> dict[str, Any]:
        return await self._fleet.librarian.brain_details(name)

    async def remove_brain(self, name: str) -> None:
        await self._fleet.librarian.remove_brain(name)

    async def ask(self, what: str, **details: str) -> Any:
        return await self._fleet.librarian.ask(what, **details)

    async def run(self, job: Resolved, report: Report) -> JobResult:
        """Raises what the engine raised, GaveWayError, CancelledError, WorkerLostError if the dreamer is gone."""
        run = self._run = Run(job, report)
        self._fleet.begin(run)
        waits = asyncio.get_running_loop().call_later(ROOM_SECONDS, self._fleet.make_room, run)
        try:
            return await self._result_of(run)
        except (RayError, RayServeException, asyncio.CancelledError) as error:
            if run.given_up is not None:
                raise run.given_up from error
            if isinstance(error, asyncio.CancelledError):
                raise
            raise _gone(error) from error
        finally:
            waits.cancel()
            self._run = None
            self._fleet.end(run)
            if run.stream is not None:
                run.stream.cancel()

    def cancel(self, job_id: str) -> None:
        self._say("cancel", job_id)

    def give_way(self, job_id: str) -> None:
        self._say("give_way", job_id)

    async def close(self) -> None:
        """What is under way has ended with the crew's tasks; the librarian is everybody's."""
        await self._fleet.librarian.close()

    def _say(self, word: str, job_id: str) -> None:
        if self._run is not None and self._run.job.id == job_id:
            self._run.say(word)

    async def _result_of(self, run: Run) -> JobResult:
        brain = next(iter(run.job.brains.values()), "")
        called = self._fleet.dreamers.options(stream=True, multiplexed_model_id=brain)
        run.stream = called.work.remote(run.order)
        last = await self._last_of(run)
        run.stream = None  # heard to its end, so that the dreamer is known to be free
        if last["is"] == "failed":
            raise from_wire(last["error"])
        self._fleet.free_memory = last["free_memory"]
        return KINDS[run.job.request.KIND].result.from_json(last["value"])

    async def _last_of(self, run: Run) -> Mapping[str, Any]:
        """What the dreamer says in the end; if it is gone only then, that is no matter."""
        last: Mapping[str, Any] | None = None
        try:
            async for message in run.stream:
                if message["is"] in ("done", "failed"):
                    last = message
                    self._fleet.end(run)
                else:
                    _hear(run, message)
        except (RayError, RayServeException):
            if last is None:
                raise
        if last is None:
            raise WorkerLostError("The dreamer has ended before its job.")
        return last


def _hear(run: Run, message: Mapping[str, Any]) -> None:
    match message["is"]:
        case "begun":
            run.begun = True
        case "progress":
            run.report.advance(KINDS[run.job.request.KIND].progress.from_json(message["progress"]))
        case "preview":
            run.report.show(message["jpeg"])


def _gone(error: Exception) -> WorkerLostError:
    log.warning("a dreamer is gone: %s: %s", type(error).__name__, " ".join(str(error).split())[:500])
    return WorkerLostError("The dreamer at work, or its machine, is gone.", "`ray status` and Ray's logs may say more.")
