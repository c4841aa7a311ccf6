# SPDX-License-Identifier: GPL-3.0-or-later
"""Small jobs on a Ray cluster of this machine: what Ray costs each, and what a second dreamer brings.

Real servers, in processes of their own, asked over their sockets, and bare processes, which show what two of them bring
on this machine at best. All get jobs in turn, so that what else the machine does weighs on all alike.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmark_bare import Bare

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings
from tests.server.process import ServerProcess, png

NAMES = ("bare", "plain", "Ray")
"""Processes without a server, a plain server, a cluster of this machine."""

TARGET_RATIO = 1.6
TARGET_MILLISECONDS = 50.0

_seeds = itertools.count(1)


class Side(NamedTuple):
    """One way of dreaming, once with one who dreams and once with two. put: an image's bytes, for its blob. work: all
    of these, at once."""

    put: Callable[[bytes], str]
    work: Callable[[list[DreamRequest]], None]


def measure(size: int, steps: int, jobs: int, rounds: int) -> dict[str, Any]:
    """size: side of the images. steps: of each job, in its one octave. jobs: sent at once in each of the rounds."""
    with tempfile.TemporaryDirectory(prefix="deepdream-scale-") as folder, ExitStack() as stack:
        start = {"bare": _bare, "plain": _plain, "Ray": _cluster}
        sides = {
            (name, count): stack.enter_context(start[name](Path(folder), count)) for name in NAMES for count in (1, 2)
        }
        return compare(sides, size, steps, jobs, rounds)


def compare(sides: Mapping[tuple[str, int], Side], size: int, steps: int, jobs: int, rounds: int) -> dict[str, Any]:
    """The same of sides that are there, by name and by how many dream at once."""
    for side in sides.values():
        side.work(_requests(side, size, steps, 2))
    alone = [{name: _seconds(sides[name, 1], size, steps, 1) for name in NAMES} for _ in range(jobs)]
    rates = [{who: jobs / _seconds(side, size, steps, jobs) for who, side in sides.items()} for _ in range(rounds)]
    ratios = {name: statistics.median(rate[name, 2] / rate[name, 1] for rate in rates) for name in NAMES}
    more = [(one["Ray"] - one["plain"]) * 1000 for one in alone]
    return {
        "milliseconds": {name: statistics.median(one[name] for one in alone) * 1000 for name in NAMES},
        "overhead_milliseconds": statistics.median(more),
        "overhead_quartiles": statistics.quantiles(more, n=4)[::2],
        "jobs_per_second": {
            f"{name}, {count}": statistics.median(rate[name, count] for rate in rates) for name, count in sides
        },
        "ratios": ratios,
        "share_of_ceiling": ratios["Ray"] / ratios["bare"],
        "targets": {"ratio": TARGET_RATIO, "overhead_milliseconds": TARGET_MILLISECONDS},
    }


def as_text(found: dict[str, Any]) -> str:
    took, rate, ratios = found["milliseconds"], found["jobs_per_second"], found["ratios"]
    low, high = found["overhead_quartiles"]
    lines = [
        f"a job takes {took['bare']:.0f} ms in a bare process, {took['plain']:.0f} ms on a plain server, "
        f"{took['Ray']:.0f} ms on Ray",
        f"Ray's overhead: {found['overhead_milliseconds']:.0f} ms (half of the jobs: {low:.0f} to {high:.0f}; "
        f"target: less than {TARGET_MILLISECONDS:.0f})",
    ]
    lines += [
        f"{name:5}  {rate[f'{name}, 1']:5.2f} jobs a second, two {rate[f'{name}, 2']:5.2f}: {ratios[name]:.2f} times"
        for name in NAMES
    ]
    share = f"{found['share_of_ceiling']:.0%} of what two bare processes reach"
    return "\n".join([*lines, f"two dreamers in the place of one: {share} (target: {TARGET_RATIO} times)"])


@contextmanager
def _bare(folder: Path, count: int) -> Iterator[Side]:
    bare = Bare(folder / f"bare-{count}", count)
    try:
        yield Side(bare.store.keep, bare.work)
    finally:
        bare.close()


@contextmanager
def _plain(folder: Path, workers: int) -> Iterator[Side]:
    with _server(folder / f"plain-{workers}", "--workers", str(workers)) as side:
        yield side


@contextmanager
def _cluster(folder: Path, dreamers: int) -> Iterator[Side]:
    count = str(dreamers)
    options = ("--cluster", "auto", "--workers", count, "--least-workers", count, "--exit-with-parent")
    with _server(folder / f"ray-{count}", *options) as side:
        yield side


@contextmanager
def _server(data: Path, *options: str) -> Iterator[Side]:
    server = ServerProcess(data, *options)
    try:
        client = server.client()
        yield Side(client.put_blob, partial(_work, client))
    finally:
        assert server.process.stdin is not None
        server.process.stdin.close()
        if "--cluster" in options:
            server.wait(60)
        server.kill()


def _work(client: DreamClient, requests: list[DreamRequest]) -> None:
    for job in [client.submit(request) for request in requests]:
        *_, last = client.events(job.id)
        assert last.result is not None, last


def _seconds(side: Side, size: int, steps: int, jobs: int) -> float:
    """From sending so many jobs at once to knowing their end."""
    requests = _requests(side, size, steps, jobs)
    start = time.perf_counter()
    side.work(requests)
    return time.perf_counter() - start


def _requests(side: Side, size: int, steps: int, jobs: int) -> list[DreamRequest]:
    settings = DreamSettings().replace(octaves=1, steps=steps)
    source = side.put(png(size, size))
    return [DreamRequest(source, settings.replace(seed=next(_seeds))) for _ in range(jobs)]
