# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream server on a Ray cluster whose machines share an object store, and no disk."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamResult
from blender_deepdream.server.objects import Objects

from ..buckets import Buckets
from ..conftest import finish, linux_only, request_for
from ..process import ServerProcess, children, cpu_seconds, png, wait_for
from .conftest import HTTPS
from .machines import Machines
from .test_cluster import WHILE, at_work_first, follow_to, image_of

pytestmark = [linux_only, pytest.mark.timeout(600), pytest.mark.xdist_group("cluster")]


@pytest.fixture(scope="module")
def on_objects(
    machines: Machines, on_cluster: ServerProcess, buckets: Buckets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """It takes the place of the server with a folder."""
    where = ("--cluster", machines.address, "--shared", buckets.address)
    few = ("--port", str(urlsplit(on_cluster.url).port), "--workers", "2", "--least-workers", "0", "--linger", "5")
    process = ServerProcess(tmp_path_factory.mktemp("objects") / "copies", *where, *few, *HTTPS)
    yield process
    process.kill()


def test_a_dreamer_is_woken_and_dies_the_ingress_dies_and_the_store_falls_silent(
    machines: Machines,
    on_objects: ServerProcess,
    buckets: Buckets,
    start_server: Callable[..., ServerProcess],
    tmp_path: Path,
) -> None:
    client = on_objects.client()
    wait_for(lambda: client.health()["ready"], 120)
    wait_for(lambda: not machines.replicas("Dreamer"), 120)
    request = request_for(client, **WHILE)
    job = client.submit(request)  # which wakes one
    follow_to(client, job.id, 0.1)
    os.kill(at_work_first(machines)[0], signal.SIGKILL)
    follow_to(client, job.id, 0.1, anew=True)
    (ingress,) = machines.replicas("Ingress")
    os.kill(ingress, signal.SIGKILL)
    follow_to(client, job.id, 0.1, anew=True)
    with buckets.silent():
        until_all_rest(machines)
        assert client.status(job.id).state is JobState.RUNNING, "it waits for the store"
    *_, last = client.events(job.id)
    assert isinstance(last.result, DreamResult), last
    client.get_blob(last.result.image, tmp_path / "out.exr")
    plain = start_server().client()
    plain.put_blob(png(48, 32))
    assert (last.id, last.result.image) == image_of(plain, request)
    stored = Objects(buckets.address)
    wait_for(lambda: not [found for found in stored.list("queue") if job.id in found.name])
    assert finish(client, request).result == last.result, "it is known from now on"


def until_all_rest(machines: Machines) -> None:
    """Until no dreamer's worker computes any more."""
    used, before = 0.0, -1.0
    while used - before > 0.2:
        time.sleep(1)
        used, before = (
            sum(cpu_seconds(worker) for pid in machines.replicas("Dreamer") for worker in children(pid)),
            used,
        )
