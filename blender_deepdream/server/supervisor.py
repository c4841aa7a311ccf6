# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's side of the worker process: start it, send it a job, hear its progress, cancel, survive its death.

The two talk in lines of JSON over the worker's standard input and output. A pipe's end tells each side that the
other is gone, however it died.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..protocol.errors import TimedOutError, WorkerLostError, from_wire
from ..protocol.jobs import KINDS, JobResult
from ..protocol.nothing import MAX_PIXELS
from ..protocol.training import TrainRequest
from .report import Report
from .resolving import Facts, Resolved, by_name

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""How often a job runs if the worker dies on it."""

CANCEL_SECONDS = 3.0
"""A worker that has not let go of a cancelled job after this time is killed."""

CANCEL_TRAINING_SECONDS = 60.0
"""The same for a training, which stops after a step and keeps its best brain."""

ANSWER_SECONDS = 25.0
"""A question that takes longer is given up: less than a client waits."""

CLOSE_SECONDS = 1.0
MAX_LINE = 2**24


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How workers are started. data: the store's folder. shared: the address of the object store of which that has
    copies, if so. threads: on the CPU, None for torch's choice.

    pixels: of the largest image that they decode. memory: bytes that one may have, 0 for its own choice. silence:
    seconds in which a job must tell something of its way. log_json: whether they log as JSON.
    """

    data: Path
    shared: str = ""
    device: str = "auto"
    threads: int | None = None
    pixels: int = MAX_PIXELS
    memory: int = 0
    silence: float = 900.0
    log_json: bool = False

    def arguments(self) -> list[str]:
        """Of the worker's command line."""
        words = ["--data", str(self.data), "--device", self.device, "--pixels", str(self.pixels)]
        words += ["--shared", self.shared] if self.shared else []
        words += ["--memory", str(self.memory)]
        words += ["--threads", str(self.threads)] if self.threads is not None else []
        return [*words, "--log-json"] if self.log_json else words


class Worker:
    """One worker process at a time, started when needed, one job at a time."""

    attempts = ATTEMPTS

    def __init__(self, options: WorkerOptions, number: int = 0) -> None:
        """number: which of the machine's GPUs it takes, round and round; of no meaning on a CPU."""
        self._arguments = [*options.arguments(), "--number", str(number)]
        self._silence = options.silence
        self._last_word = 0.0
        self.free_memory: int | None = None
        self._facts: Facts | None = None
        self._process: Process | None = None
        self._ready: asyncio.Future[Facts] | None = None
        self._answer: asyncio.Future[JobResult] | None = None
        self._report: Report | None = None
        self._job_id = ""
        self._kind = KINDS["dream"]
        self._questions: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()
        self._listener: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def known_facts(self) -> Facts | None:
        """The same without waiting: None until the worker was ready once."""
        return self._facts

    async def facts(self) -> Facts:
        """What the worker said when it was last ready; waits only for its very first start. Raises WorkerLostError."""
        return self._facts or await self.ready()

    async def ready(self) -> Facts:
        """Start the process if there is none, and wait until it can dream.

        Raises WorkerLostError, or why the engine cannot work here: no such device, a package missing.
        """
        async with self._starting:
            if self._closed:
                raise WorkerLostError("The server is ending.")
            if self._process is None:
                await self._start()
        assert self._ready is not None
        return await asyncio.shield(self._ready)

    async def fresh_facts(self) -> Facts:
        """The same with the brains that there are now. Raises WorkerLostError."""
        return self._learn_brains(await self.ask("brains"))

    async def brain_details(self, name: str) -> dict[str, Any]:
        """All that is known of a brain, as JSON. Raises UnknownBrainError, BrainFileError, WorkerLostError."""
        details: dict[str, Any] = await self.ask("brain", name=name)
        return details

    async def remove_brain(self, name: str) -> None:
        """Raises UnknownBrainError; InputError for one that is built in; StorageError, WorkerLostError."""
        self._learn_brains(await self.ask("remove_brain", name=name))

    async def ask(self, what: str, **details: str) -> Any:
        """Put a question to the worker, which answers even while it works on a job; `worker` has the questions.

        Raises what the worker answers with, WorkerLostError.
        """
        await self.ready()
        number = next(self._numbers)
        answer = self._questions[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"do": "answer", "number": number, "what": what, **details})
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError as error:
            raise WorkerLostError("The worker process does not answer.", "Try again in a while.") from error
        finally:
            del self._questions[number]

    async def run(self, job: Resolved, report: Report) -> JobResult:
        """Work on one job in the worker, which must be `ready`. Raises what the engine raised, WorkerLostError,
        GaveWayError."""
        self._job_id, self._kind, self._report = job.id, KINDS[job.request.KIND], report
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._send({"do": "work", "id": job.id, "request": job.request.to_json(), "brains": dict(job.brains)})
            return await self._heard_of(self._answer)
        finally:
            self._answer = self._report = None
            self._job_id = ""

    async def _heard_of(self, answer: asyncio.Future[JobResult]) -> JobResult:
        """The answer; a worker that is silent for too long is ended. Raises TimedOutError."""
        self._last_word = time.monotonic()
        while (left := self._last_word + self._silence - time.monotonic()) > 0:
            if (await asyncio.wait([answer], timeout=left))[0]:
                return answer.result()
        self._kill_if_waiting(answer)
        await asyncio.wait([answer], timeout=CLOSE_SECONDS)
        raise TimedOutError(
            f"The job told nothing of its way for {self._silence:g} seconds, and was ended.",
            "Its image may be damaged so that no reader gets through; whoever runs the server can allow more time.",
        )

    def cancel(self, job_id: str) -> None:
        """Ask the worker to let go of a job; it is killed if it does not."""
        if self._answer is None or self._job_id != job_id:
            return
        with contextlib.suppress(WorkerLostError):
            self._send({"do": "cancel", "id": job_id})
        seconds = CANCEL_TRAINING_SECONDS if self._kind.request is TrainRequest else CANCEL_SECONDS
        asyncio.get_running_loop().call_later(seconds, self._kill_if_waiting, self._answer)

    def give_way(self, job_id: str) -> None:
        """Ask the worker to put a job aside, if it works on it: `run` then raises GaveWayError."""
        if self._answer is not None and self._job_id == job_id:
            with contextlib.suppress(WorkerLostError):
                self._send({"do": "give_way", "id": job_id})

    async def close(self) -> None:
        """End the process, gently first; no other starts."""
        self._closed = True
        process, listener = self._process, self._listener
        if process is None or listener is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        done, _ = await asyncio.wait([listener], timeout=CLOSE_SECONDS)
        if not done:
            self._kill(process)
            await asyncio.wait([listener], timeout=CLOSE_SECONDS)

    async def _start(self) -> None:
        self._ready = asyncio.get_running_loop().create_future()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", f"{__package__}.worker", *self._arguments),
                stdin=PIPE,
                stdout=PIPE,
                env=_environment(),
                limit=MAX_LINE,
                # a server without a console would get a new one on Windows, on top of the artist's work
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise WorkerLostError(f"The worker process could not be started: {error}.") from error
        log.info("worker %d started", self._process.pid)
        self._listener = asyncio.create_task(self._listen(self._process))

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                if line.endswith(b"\n"):  # not so the last words of a killed one
                    self._receive(json.loads(line))
        except Exception:  # the boundary between the processes: whatever it is, this worker is of no use any more
            log.exception("worker %d sent what it should not; ending it", process.pid)
            self._kill(process)
        reason = end_of_process(await process.wait())
        log.info("worker %d %s", process.pid, reason)
        self._process = None
        lost = WorkerLostError(
            f"The worker process {reason}.",
            "The server's log may say more; a smaller image or fewer octaves need less memory.",
        )
        for future in (self._ready, self._answer, *self._questions.values()):
            if future is not None and not future.done():
                future.set_exception(lost)
                future.exception()  # nobody may be waiting: no complaint about that

    def _receive(self, message: Mapping[str, Any]) -> None:
        self.free_memory = message.get("free_memory", self.free_memory)
        if message["is"] == "ready":
            assert self._ready is not None
            self._facts = Facts.from_json(message)
            self._ready.set_result(self._facts)
        elif message["is"] == "unusable":
            assert self._ready is not None
            self._ready.set_exception(from_wire(message["error"]))
            self._ready.exception()  # nobody may be waiting: no complaint about that
        elif message["is"] == "answer":
            _settle(self._questions.get(message["number"]), message)
        else:
            self._receive_of_job(message)

    def _receive_of_job(self, message: Mapping[str, Any]) -> None:
        self._last_word = time.monotonic()
        if self._answer is None or self._report is None or self._answer.done() or message["id"] != self._job_id:
            log.warning("worker spoke of job %s, which nobody waits for", message["id"])
        elif message["is"] == "progress":
            self._report.advance(self._kind.progress.from_json(message["progress"]))
        elif message["is"] == "preview":
            self._report.show(base64.b64decode(message["jpeg"]))
        elif message["is"] == "done":
            self._answer.set_result(self._kind.result.from_json(message["value"]))
        else:
            self._answer.set_exception(from_wire(message["error"]))

    def _learn_brains(self, brains: Iterable[Mapping[str, Any]]) -> Facts:
        assert self._facts is not None
        self._facts = replace(self._facts, brains=by_name(brains))
        return self._facts

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            raise WorkerLostError("The worker process is gone.")
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _kill_if_waiting(self, answer: asyncio.Future[JobResult]) -> None:
        if not answer.done() and self._process is not None:
            log.warning("worker %d does not let go of its job; killing it", self._process.pid)
            self._kill(self._process)

    def _kill(self, process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def end_of_process(code: int) -> str:
    """An exit code in words: "was killed (SIGKILL)", "ended with exit code 3"."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed ({name})"


def _settle(question: asyncio.Future[Any] | None, message: Mapping[str, Any]) -> None:
    if question is None or question.done():  # whoever asked has gone
        return
    if "error" in message:
        question.set_exception(from_wire(message["error"]))
    else:
        question.set_result(message["value"])


def _environment() -> dict[str, str]:
    """Ours, and this very package first on the path: the worker runs the same code, wherever we were started."""
    depth = len((__package__ or "").split("."))
    root = Path(__file__).resolve().parents[depth]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    return os.environ | {"PYTHONPATH": path}
