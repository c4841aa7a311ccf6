# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers, in processes of their own, on sockets and disks of their own."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.jobs import JobRequest, JobState, JobStatus
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings

from .buckets import BUCKET, Buckets
from .process import ServerProcess, png

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_seeds = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _folders_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes what this user's own dreams have left, nor does a process that it starts."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DEEPDREAM_DATA", str(tmp_path_factory.mktemp("data")))
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that leave it as it was."""
    process = ServerProcess(tmp_path_factory.mktemp("server"))
    yield process
    process.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers on this test's folder; they end with the test."""
    processes: list[ServerProcess] = []

    def start(*arguments: str, limit_file_bytes: int | None = None) -> ServerProcess:
        process = ServerProcess(tmp_path / "data", *arguments, limit_file_bytes=limit_file_bytes)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()


@pytest.fixture
def client(server: ServerProcess) -> DreamClient:
    return server.client()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A small picture in a file."""
    path = tmp_path / "in.png"
    path.write_bytes(png(48, 32))
    return path


@pytest.fixture
def quick_request(client: DreamClient) -> DreamRequest:
    """A dream of two steps that nobody has asked for yet."""
    return request_for(client, steps=2)


@pytest.fixture
def long_request(client: DreamClient) -> DreamRequest:
    """A dream that lasts for minutes: cancel it."""
    return request_for(client, steps=1000, octaves=16)


def request_for(client: DreamClient, **settings: object) -> DreamRequest:
    """A request that is new to every server, its image sent to this client's."""
    source = client.put_blob(png(48, 32))
    settings = {"octaves": 1, "octave_scale": 1.05, "seed": next(_seeds)} | settings
    return DreamRequest(source, DreamSettings().replace(**settings))


def ended(client: DreamClient, request: JobRequest) -> JobStatus:
    """The end of this request's job, whatever it is."""
    *_, last = client.events(client.submit(request).id)
    return last


def finish(client: DreamClient, request: JobRequest) -> JobStatus:
    """The end of this request's job, which must be a good one."""
    last = ended(client, request)
    assert last.state is JobState.DONE, last
    return last


def until_it_dreams(client: DreamClient, job_id: str) -> None:
    assert any(status.progress for status in client.events(job_id))


@pytest.fixture(scope="session")
def buckets() -> Iterator[Buckets]:
    """An object store, which our processes find from now on."""
    for package in ("moto", "s3fs"):
        pytest.importorskip(package, reason="not installed: pip install 'blender-deepdream[test]'")
    found, before = Buckets(), dict(os.environ)
    os.environ.update(found.environment)
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(BUCKET)
    yield found
    os.environ.clear()
    os.environ.update(before)
    found.close()
