# SPDX-License-Identifier: GPL-3.0-or-later
"""Several workers under one server."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamResult

from .conftest import finish, linux_only, request_for, until_it_dreams
from .process import ServerProcess, children, wait_for

LONG = {"steps": 1000, "octaves": 16}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two workers."""
    process = ServerProcess(tmp_path_factory.mktemp("pair"), "--workers", "2")
    yield process
    process.kill()


def test_two_dream_at_once(pair: ServerProcess) -> None:
    client = pair.client()
    assert client.health()["workers"] == 2
    jobs = [client.submit(request_for(client, **LONG)) for _ in range(2)]
    for job in jobs:
        until_it_dreams(client, job.id)
    assert [client.status(job.id).state for job in jobs] == [JobState.RUNNING] * 2
    third = client.submit(request_for(client, steps=1))
    assert client.status(third.id).state is JobState.QUEUED
    client.cancel(jobs[0].id)
    *_, last = client.events(third.id)
    assert last.state is JobState.DONE
    assert client.status(jobs[1].id).state is JobState.RUNNING, "the other one goes on"
    client.cancel(jobs[1].id)


def test_people_come_before_batches(pair: ServerProcess) -> None:
    farm, artist = pair.client("farm").as_batch(), pair.client("artist")
    jobs = [farm.submit(request_for(farm, **LONG)) for _ in range(2)]
    for job in jobs:
        until_it_dreams(farm, job.id)
    batch = farm.submit(request_for(farm, steps=1))
    by_hand = artist.submit(request_for(artist, steps=1))
    assert (by_hand.position, farm.status(batch.id).position) == (0, 1)
    for job in (*jobs, batch, by_hand):
        farm.cancel(job.id)
        artist.cancel(job.id)


@linux_only
def test_one_that_dies_takes_nobody_with_it(pair: ServerProcess) -> None:
    client = pair.client()
    jobs = [client.submit(request_for(client, steps=100)) for _ in range(2)]
    for job in jobs:
        until_it_dreams(client, job.id)
    workers = children(pair.pid)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    for job in jobs:
        *_, last = client.events(job.id)
        assert last.state is JobState.DONE
    assert wait_for(lambda: len(children(pair.pid)) == 2)


def test_their_bits_are_those_of_one(pair: ServerProcess, start_server: Callable[..., ServerProcess]) -> None:
    alone, client = start_server().client(), pair.client()
    requests = [request_for(client, steps=3) for _ in range(3)]
    alone.put_blob((pair.data / "blobs" / requests[0].source).read_bytes())
    for request in requests:
        here, there = finish(client, request), finish(alone, request)
        assert isinstance(here.result, DreamResult)
        assert isinstance(there.result, DreamResult)
        assert (here.id, here.result.image) == (there.id, there.result.image)


def test_on_a_cpu_one_is_enough(start_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    client = start_server("--workers", "auto", "--device", "cpu").client()
    client.brains()
    assert client.health()["workers"] == 1
