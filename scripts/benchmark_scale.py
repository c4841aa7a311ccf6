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
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings
from tests.server.process import ServerProcess, png

NAMES = ("plain, 1 worker", "plain, 2 workers", "Ray, 1 dreamer", "Ray, 2 dreamers")
TARGET_RATIO = 1.6
TARGET_MILLISECONDS = 50.0

_seeds = itertools.count(1)


def measure(size: int, steps: int, jobs: int, rounds: int) -> dict[str, Any]:
    """size: side of the images. steps: of each job, in its one octave. jobs: sent at once in each of the rounds."""
    with tempfile.TemporaryDirectory(prefix="deepdream-scale-") as folder, ExitStack() as stack:
        plain = {count: stack.enter_context(_plain(Path(folder), count)) for count in (1, 2)}
        cluster = {count: stack.enter_context(_cluster(Path(folder), count)) for count in (1, 2)}
        return compare(plain, cluster, size, steps, jobs, rounds)


def compare(
    plain: Mapping[int, DreamClient],
    cluster: Mapping[int, DreamClient],
    size: int,
    steps: int,
    jobs: int,
    rounds: int,
) -> dict[str, Any]:
    """The same of servers that are there, by how many dream at once: one and two."""
    pairs = [(_seconds(plain[1], size, steps), _seconds(cluster[1], size, steps)) for _ in range(jobs)]
    servers = [each[count] for each in (plain, cluster) for count in (1, 2)]
    rates = [[_rate(server, size, steps, jobs) for server in servers] for _ in range(rounds)]
    alone, on_ray = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return {
        "milliseconds": {"plain": alone * 1000, "cluster": on_ray * 1000},
        "overhead_milliseconds": statistics.median(ray - own for own, ray in pairs) * 1000,
        "jobs_per_second": dict(zip(NAMES, map(statistics.median, zip(*rates, strict=True)), strict=True)),
        "ratio_plain": statistics.median(two / one for one, two, _, _ in rates),
        "ratio": statistics.median(two / one for _, _, one, two in rates),
        "targets": {"ratio": TARGET_RATIO, "overhead_milliseconds": TARGET_MILLISECONDS},
    }


def as_text(found: dict[str, Any]) -> str:
    took, rate = found["milliseconds"], found["jobs_per_second"]
    lines = [
        f"a job takes {took['plain']:.0f} ms on a plain server, {took['cluster']:.0f} ms on Ray: "
        f"{found['overhead_milliseconds']:.0f} ms more (target: less than {TARGET_MILLISECONDS:.0f})"
    ]
    lines += [f"{name}: {rate[name]:.2f} jobs a second" for name in NAMES]
    ratios = f"two in the place of one: {found['ratio']:.2f} times on Ray (target: {TARGET_RATIO})"
    return "\n".join([*lines, f"{ratios}, {found['ratio_plain']:.2f} times on a plain server"])


@contextmanager
def _plain(folder: Path, workers: int) -> Iterator[DreamClient]:
    with _server(folder / f"plain-{workers}", "--workers", str(workers)) as client:
        yield client


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
