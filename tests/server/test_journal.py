# SPDX-License-Identifier: GPL-3.0-or-later
"""What a queue hands on to the next one."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import NoReturn

import pytest

from blender_deepdream.protocol.errors import WorkerLostError
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamRequest, DreamResult
from blender_deepdream.server.documents import FolderDocuments
from blender_deepdream.server.job import Client
from blender_deepdream.server.jobs import JobQueue
from blender_deepdream.server.journal import Journal
from blender_deepdream.server.resolving import Facts, Resolved
from blender_deepdream.server.store import Store
from blender_deepdream.server.supervisor import Worker, WorkerOptions

ANNA, FARM = Client("anna/1", "anna"), Client("farm/1", "farm", batch=True)


def resolved(digit: str) -> Resolved:
    return Resolved(digit * 64, DreamRequest("0" * 64), {"lite0": "1" * 64}, {"engine": "5"})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(FolderDocuments(tmp_path / "queue"))


class Absent(Worker):
    """A worker that never comes."""

    async def ready(self) -> Facts:
        await asyncio.Event().wait()
        raise WorkerLostError("never")

    async def facts(self) -> NoReturn:
        raise WorkerLostError("The queue before named the jobs.")


def queue(journal: Journal, folder: Path) -> JobQueue:
    store = Store(folder / "data")
    store.prepare()
    return JobQueue(store, lambda _: Absent(WorkerOptions(folder / "data")), journal=journal)


def test_what_is_noted_is_read_in_its_order(journal: Journal, tmp_path: Path) -> None:
    """Also where files tell no times that are good for that: they are written anew for each client."""
    for digit in "bac":
        journal.note(resolved(digit), [ANNA])
    journal.note(resolved("b"), [ANNA, FARM])
    journal.forget("c" * 64)
    journal.close()
    found = Journal(FolderDocuments(tmp_path / "queue")).read()
    assert [entry.resolved for entry in found] == [resolved("b"), resolved("a")]
    assert found[0].clients == (ANNA, FARM)


def test_what_was_done_last_stays(tmp_path: Path) -> None:
    """However slow the first of it is."""

    class Slow(FolderDocuments):
        def put(self, name: str, data: bytes) -> None:
            time.sleep(0.05)
            super().put(name, data)

    journal = Journal(Slow(tmp_path / "queue"))
    journal.note(resolved("a"), [ANNA, FARM])
    journal.note(resolved("a"), [FARM])
    journal.note(resolved("b"), [ANNA])
    journal.forget("b" * 64)
    journal.close()
    assert [entry.clients for entry in journal.read()] == [(FARM,)]


def test_slow_entries_are_read_at_once(tmp_path: Path) -> None:
    """Or a queue of a thousand jobs would keep an object store, and all clients, for a minute."""
    together = threading.Barrier(2, timeout=60)

    class Slow(FolderDocuments):
        def read(self, name: str) -> bytes | None:
            together.wait()
            return super().read(name)

    journal = Journal(Slow(tmp_path / "queue"))
    journal.note(resolved("a"), [ANNA])
    journal.note(resolved("b"), [ANNA])
    journal.close()
    assert len(journal.read()) == 2


def test_what_is_no_job_is_left_out(journal: Journal, tmp_path: Path) -> None:
    journal.note(resolved("a"), [ANNA]).result()
    (tmp_path / "queue" / f"{'b' * 64}.json").write_text('{"request": {"kind": "nonsense"}}')
    (tmp_path / "queue" / f"{'c' * 64}.json").write_text("[")
    (tmp_path / "queue" / "launch-1.json").write_text("{}")
    assert [entry.resolved.id for entry in journal.read()] == ["a" * 64]


def test_the_next_queue_goes_on(journal: Journal, tmp_path: Path) -> None:
    """It knows the jobs before any worker is there: clients that ask for them are not told that there are none."""
    journal.note(resolved("a"), [ANNA, FARM])
    journal.note(resolved("b"), [])
    journal.note(resolved("c"), [FARM]).result()
    jobs = queue(journal, tmp_path)
    image = Store(tmp_path / "data").keep(b"image")
    Store(tmp_path / "data").keep_result("c" * 64, "dream", DreamResult(image, 8, 8, 1.0))

    async def through() -> list[JobState]:
        await jobs.start()
        states = [(await jobs.status(digit * 64)).state for digit in "ac"]
        await jobs.cancel("a" * 64, ANNA)
        assert (await jobs.status("a" * 64)).state is JobState.QUEUED, "the farm still wants it"
        assert [entry.clients for entry in journal.read() if entry.resolved.id == "a" * 64] == [(FARM,)]
        await jobs.cancel("a" * 64, FARM)
        await jobs.close()
        return states

    assert asyncio.run(through()) == [JobState.QUEUED, JobState.DONE]
    assert not list(journal.read()), "nobody wants these any more"
