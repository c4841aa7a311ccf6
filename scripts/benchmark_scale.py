# SPDX-License-Identifier: GPL-3.0-or-later
"""Small jobs on a Ray cluster of this machine: what Ray costs each, and what a second dreamer brings.

Real servers, in processes of their own, asked over their sockets. A plain one and the cluster get jobs in turn, so that
what else the machine does weighs on both.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings
from tests.server.process import ServerProcess, png

TARGET_RATIO = 1.6
TARGET_MILLISECONDS = 50.0

_seeds = itertools.count(1)


def measure(size: int, steps: int, jobs: int) -> dict[str, Any]:
    """size: side of the images. steps: of each job, in its one octave. jobs: for each of the numbers."""
    with tempfile.TemporaryDirectory(prefix="deepdream-scale-") as folder:
        with _server(Path(folder) / "plain") as plain, _cluster(Path(folder), 1) as cluster:
            pairs = [(_seconds(plain, size, steps), _seconds(cluster, size, steps)) for _ in range(jobs)]
            one = _rate(cluster, size, steps, jobs)
        with _cluster(Path(folder), 2) as cluster:
            two = _rate(cluster, size, steps, jobs)
    alone, on_ray = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return {
        "milliseconds_plain": alone * 1000,
        "milliseconds_cluster": on_ray * 1000,
        "overhead_milliseconds": statistics.median(ray - own for own, ray in pairs) * 1000,
        "jobs_per_second": {"1": one, "2": two},
        "ratio": two / one,
        "targets": {"ratio": TARGET_RATIO, "overhead_milliseconds": TARGET_MILLISECONDS},
    }


def as_text(found: dict[str, Any]) -> str:
    one, two = (found["jobs_per_second"][count] for count in "12")
    return (
        f"a job takes {found['milliseconds_plain']:.0f} ms on a plain server, {found['milliseconds_cluster']:.0f} ms "
        f"on Ray: {found['overhead_milliseconds']:.0f} ms more (target: less than {TARGET_MILLISECONDS:.0f})\n"
        f"{one:.2f} jobs a second with one dreamer, {two:.2f} with two: {found['ratio']:.2f} times "
        f"(target: {TARGET_RATIO})"
    )


@contextmanager
def _cluster(folder: Path, dreamers: int) -> Iterator[DreamClient]:
    count = str(dreamers)
    options = ("--cluster", "auto", "--workers", count, "--least-workers", count, "--exit-with-parent")
    with _server(folder / f"ray-{count}", *options) as client:
        yield client


@contextmanager
def _server(data: Path, *options: str) -> Iterator[DreamClient]:
    """Warm: every dreamer has loaded the brain."""
    server = ServerProcess(data, *options)
    try:
        client = server.client()
        _rate(client, 64, 2, 8)
        yield client
    finally:
        assert server.process.stdin is not None
        server.process.stdin.close()
        if "--cluster" in options:
            server.wait(60)
        server.kill()


def _seconds(client: DreamClient, size: int, steps: int) -> float:
    """From sending a request to knowing its end."""
    request = _request(client, size, steps)
    start = time.perf_counter()
    _finish(client, client.submit(request).id)
    return time.perf_counter() - start


def _rate(client: DreamClient, size: int, steps: int, jobs: int) -> float:
    """Jobs a second, all sent at once."""
    requests = [_request(client, size, steps) for _ in range(jobs)]
    start = time.perf_counter()
    for job in [client.submit(request) for request in requests]:
        _finish(client, job.id)
    return jobs / (time.perf_counter() - start)


def _finish(client: DreamClient, job_id: str) -> None:
    *_, last = client.events(job_id)
    assert last.result is not None, last


def _request(client: DreamClient, size: int, steps: int) -> DreamRequest:
    settings = DreamSettings().replace(octaves=1, steps=steps, seed=next(_seeds))
    return DreamRequest(client.put_blob(png(size, size)), settings)
