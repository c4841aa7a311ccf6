# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that dies, hangs or never starts, under a real server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import InputError, WorkerLostError
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.server.supervisor import CANCEL_SECONDS, end_of_process

from .conftest import ended, linux_only, request_for, until_it_dreams
from .process import ServerProcess, children, cpu_seconds, is_running, wait_for

pytestmark = linux_only


def kill_worker(server: ServerProcess) -> None:
    worker = server.worker_pid()
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: worker not in children(server.pid))  # the server knows: a zombie would be found again


def test_a_job_survives_the_death_of_its_worker(server: ServerProcess, client: DreamClient) -> None:
    request = request_for(client, steps=60)
    job = client.submit(request)
    until_it_dreams(client, job.id)
    kill_worker(server)
    *_, last = client.events(job.id)
    assert last.state is JobState.DONE


def test_a_job_that_kills_its_worker_twice_fails(server: ServerProcess, client: DreamClient) -> None:
    job = client.submit(request_for(client, steps=1000))
    for _ in range(2):
        until_it_dreams(client, job.id)
        kill_worker(server)
        client.health()
    *_, last = client.events(job.id)
    assert last.state is JobState.FAILED
    assert isinstance(last.error, WorkerLostError)
    assert "SIGKILL" in last.error.message
    next_one = ended(client, request_for(client, steps=1))
    assert next_one.state is JobState.DONE, "the server lives on"


def test_a_worker_that_hangs_is_replaced(server: ServerProcess, client: DreamClient) -> None:
    job = client.submit(request_for(client, steps=1000))
    until_it_dreams(client, job.id)
    os.kill(server.worker_pid(), signal.SIGSTOP)
    start = time.monotonic()
    client.cancel(job.id)
    *_, last = client.events(job.id)
    assert last.state is JobState.CANCELLED
    assert time.monotonic() - start < CANCEL_SECONDS + 2
    next_one = ended(client, request_for(client, steps=1))
    assert next_one.state is JobState.DONE


def test_a_worker_that_died_idle_is_replaced(server: ServerProcess, client: DreamClient) -> None:
    client.brains()
    kill_worker(server)
    last = ended(client, request_for(client, steps=1))
    assert last.state is JobState.DONE


def test_the_worker_ends_with_a_server_that_is_killed(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    client = server.client()
    job = client.submit(request_for(client, steps=1000))
    until_it_dreams(client, job.id)
    worker = server.worker_pid()
    os.kill(server.pid, signal.SIGKILL)
    assert wait_for(lambda: not is_running(worker), seconds=3)


def test_a_device_that_is_not_there(start_server: Callable[..., ServerProcess]) -> None:
    client = start_server("--device", "nonsense").client()
    try:
        client.brains()
    except InputError as error:
        assert "nonsense" in error.message
    else:
        raise AssertionError("there is no such device")
    assert client.health()["ready"] is False


def test_idle_costs_nothing(server: ServerProcess, client: DreamClient) -> None:
    client.brains()
    pids = (server.pid, server.worker_pid())
    before = sum(map(cpu_seconds, pids))
    time.sleep(2)
    assert sum(map(cpu_seconds, pids)) - before <= 0.05


def test_an_end_in_words() -> None:
    assert end_of_process(3) == "ended with exit code 3"
    assert end_of_process(-9) == "was killed (SIGKILL)"
    assert end_of_process(-99) == "was killed (signal 99)"
