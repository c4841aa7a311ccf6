# SPDX-License-Identifier: GPL-3.0-or-later
"""How a crew finds its workers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import WorkerLostError
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.server.crew import Crew
from blender_deepdream.server.job import Client, Job
from blender_deepdream.server.resolving import Facts, Resolved
from blender_deepdream.server.runner import Runner
from blender_deepdream.server.supervisor import ATTEMPTS, Worker, WorkerOptions
from blender_deepdream.server.waiting import Waiting

THREE_GPUS = Facts("cuda", "engine 5", {}, 3)


class Hesitant(Worker):
    """A worker that does not start at first."""

    starts = 0

    async def ready(self) -> Facts:
        Hesitant.starts += 1
        if Hesitant.starts <= ATTEMPTS:
            raise WorkerLostError("The worker process ended with exit code 1.")
        self._facts = THREE_GPUS
        return THREE_GPUS


def test_it_grows_once_its_first_worker_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hesitant, "starts", 0)
    waiting, done = Waiting(), asyncio.Event()

    async def work(runner: Runner, job: Job) -> None:
        done.set()

    async def through() -> int:
        crew = Crew(lambda number: Hesitant(WorkerOptions(tmp_path), number), None, waiting, work)
        crew.start()
        await asyncio.sleep(0)
        assert crew.size == 1
        job = Job(Resolved("0" * 64, DreamRequest("dusk:8x8"), {}, {}))
        job.wants = {"a": Client("a")}
        waiting.add(job)
        crew.note(job)
        async with asyncio.timeout(10):
            await done.wait()
        await crew.close()
        return crew.size

    assert asyncio.run(through()) == 3
