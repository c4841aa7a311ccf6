# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn is next."""

from __future__ import annotations

import pytest

from blender_deepdream.protocol.jobs import JobRequest
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.training import TrainRequest
from blender_deepdream.server import waiting as waiting_module
from blender_deepdream.server.job import Client, Job
from blender_deepdream.server.resolving import Resolved
from blender_deepdream.server.waiting import MAX_REMEMBERED, Waiting

DREAM = DreamRequest("dusk:8x8")
TRAINING = TrainRequest("mine", (("0" * 64, "moss/a.png"), ("1" * 64, "rust/b.png")))


def job(name: str, client: str, *, batch: bool = False, request: JobRequest = DREAM) -> Job:
    made = Job(Resolved(name, request, {}, {}))
    made.wants[client] = Client(client, "owner", batch)
    return made


def test_places_are_those_of_the_order() -> None:
    waiting = Waiting()
    jobs = [job("a1", "a"), job("a2", "a"), job("b1", "b")]
    for one in jobs:
        waiting.add(one)
    assert [waiting.place(one, []) for one in jobs] == [0, 2, 1]
    waiting.remove(jobs[0])
    assert [waiting.place(one, []) for one in jobs[1:]] == [0, 1]


def test_places_in_a_long_queue_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting()
    jobs = [job(str(number), "a") for number in range(100)]
    for one in jobs:
        waiting.add(one)
    waiting.place(jobs[0], [])
    with monkeypatch.context() as patch:
        patch.setattr(waiting, "in_order", lambda _: pytest.fail("the order was found already"))
        patch.setattr(waiting_module, "PLACES_SECONDS", 60.0)
        assert [waiting.place(one, []) for one in jobs] == list(range(100))


def served(waiting: Waiting, workers: int = 1) -> list[str]:
    """The names of the jobs as so many workers take them, each as long as the others."""
    order = []
    while waiting:
        running: list[Job] = []
        while waiting and len(running) < workers:
            running.append(waiting.in_order(running)[0])
            waiting.serve(running[-1])
        order += [one.id for one in running]
    return order


def waiting_for(*jobs: Job) -> Waiting:
    waiting = Waiting()
    for one in jobs:
        waiting.add(one)
    return waiting


def test_clients_take_turns() -> None:
    crowd = [job(f"a{number}", "a") for number in range(4)]
    few = [job(f"b{number}", "b") for number in range(2)]
    for workers in (1, 2):
        assert served(waiting_for(*crowd, *few), workers) == ["a0", "b0", "a1", "b1", "a2", "a3"]


def test_a_newcomer_does_not_wait_for_a_crowd() -> None:
    waiting = waiting_for(*(job(f"a{number}", "a") for number in range(3)))
    waiting.serve(waiting.in_order()[0])
    waiting.add(job("b0", "b"))
    assert [one.id for one in waiting.in_order()] == ["b0", "a1", "a2"]


def test_people_come_before_batches_and_these_before_trainings() -> None:
    training = job("training", "a", request=TRAINING)
    batch, by_hand = job("batch", "farm", batch=True), job("by hand", "a")
    assert served(waiting_for(training, batch, by_hand)) == ["by hand", "batch", "training"]


def test_who_looks_on_hurries_a_batch() -> None:
    wanted_by_both = job("both", "farm", batch=True)
    wanted_by_both.wants["a"] = Client("a")
    assert served(waiting_for(job("batch", "other", batch=True), wanted_by_both)) == ["both", "batch"]


def test_not_every_client_is_remembered_for_ever() -> None:
    waiting = Waiting()
    for number in range(MAX_REMEMBERED + 10):
        one = job(str(number), str(number))
        waiting.add(one)
        waiting.serve(one)
    assert len(waiting._served) == MAX_REMEMBERED
