# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream server on a Ray cluster of several machines, of which some die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import UnknownBrainError
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamRequest, DreamResult

from ..conftest import finish, linux_only, request_for, until_it_dreams
from ..process import ROOT, ServerProcess, children, cpu_seconds
from .conftest import HTTPS
from .machines import Machines

pytestmark = [linux_only, pytest.mark.timeout(600), pytest.mark.xdist_group("cluster")]

WHILE = {"steps": 200, "octaves": 3}
"""A dream that lasts for some seconds."""


@pytest.fixture
def cluster(on_cluster: ServerProcess) -> DreamClient:
    return on_cluster.client()


def image_of(client: DreamClient, request: DreamRequest) -> tuple[str, str]:
    """The job's id and the name of its image's bytes."""
    last = finish(client, request)
    assert isinstance(last.result, DreamResult)
    return last.id, last.result.image


def plain(
    start_server: Callable[..., ServerProcess], on_cluster: ServerProcess, request: DreamRequest
) -> tuple[str, str]:
    """The same of a plain server."""
    client = start_server().client()
    client.put_blob((on_cluster.data / "blobs" / request.source).read_bytes())
    return image_of(client, request)


def test_the_same_wire(on_cluster: ServerProcess, cluster: DreamClient, tmp_path: Path) -> None:
    assert cluster.health()["workers"] == 2
    assert on_cluster.url.startswith("https://")
    assert "lite0" in [brain.name for brain in cluster.brains()]
    with pytest.raises(UnknownBrainError):
        cluster.brain("nobody")
    last = finish(cluster, request_for(cluster, steps=1))
    assert isinstance(last.result, DreamResult)
    cluster.get_blob(last.result.image, tmp_path / "out.exr")


def test_a_start_that_is_refused_leaves_alone_what_serves(
    machines: Machines, on_cluster: ServerProcess, cluster: DreamClient
) -> None:
    program = (
        "import sys\nfrom blender_deepdream.server.cluster import nodes\nnodes.own_code = lambda: 'other code'\n"
        "from blender_deepdream.server.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    where = ("--shared", str(on_cluster.data), "--port", str(urlsplit(on_cluster.url).port), *HTTPS)
    command = [sys.executable, "-c", program, "serve", "--cluster", machines.address, *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "same version" in done.stderr) == (2, True), done.stderr
    assert cluster.health()["workers"] == 2
    finish(cluster, request_for(cluster, steps=1))


def test_two_dream_at_once_and_one_is_cancelled(cluster: DreamClient) -> None:
    jobs = [cluster.submit(request_for(cluster, steps=1000, octaves=16)) for _ in range(2)]
    for job in jobs:
        until_it_dreams(cluster, job.id)
    third = cluster.submit(request_for(cluster, steps=1))
    assert third.state is JobState.QUEUED
    assert any(status.preview for status in cluster.events(jobs[0].id))
    cluster.cancel(jobs[0].id)
    assert [status.state for status in cluster.events(third.id)][-1] is JobState.DONE
    assert cluster.status(jobs[1].id).state is JobState.RUNNING, "the other one goes on"
    cluster.cancel(jobs[1].id)
    assert [status.state for status in cluster.events(jobs[1].id)][-1] is JobState.CANCELLED


def test_a_dreamer_a_machine_and_the_ingress_die(
    machines: Machines, on_cluster: ServerProcess, cluster: DreamClient, start_server: Callable[..., ServerProcess]
) -> None:
    request = request_for(cluster, **WHILE)
    job = cluster.submit(request)
    follow_to(cluster, job.id, 0.2)
    dreamer, other = at_work_first(machines)
    os.kill(dreamer, signal.SIGKILL)
    follow_to(cluster, job.id, 0.2, anew=True)
    machines.fail(machines.replicas("Dreamer")[other])
    follow_to(cluster, job.id, 0.2, anew=True)
    (ingress,) = machines.replicas("Ingress")
    os.kill(ingress, signal.SIGKILL)
    assert image_of(cluster, request) == plain(start_server, on_cluster, request)
    assert not list((on_cluster.data / "queue").glob(f"{job.id}*"))
    machines.add()


def follow_to(client: DreamClient, job_id: str, fraction: float, anew: bool = False) -> None:
    """Until so much of the job is done. anew: once it has begun again."""
    for status in client.events(job_id):
        anew = anew and bool(status.progress and status.progress.fraction >= fraction / 2)
        if not anew and status.progress and status.progress.fraction >= fraction:
            return
    raise AssertionError("it has ended before")


def at_work_first(machines: Machines) -> list[int]:
    """The dreamers, the busiest first."""
    dreamers = {pid: sum(map(cpu_seconds, children(pid))) for pid in machines.replicas("Dreamer")}
    time.sleep(0.3)
    return sorted(dreamers, key=lambda pid: dreamers[pid] - sum(map(cpu_seconds, children(pid))))
