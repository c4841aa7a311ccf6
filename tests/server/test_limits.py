# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server bears, and what it says beyond that."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from blender_deepdream.protocol import client as client_module
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import (
    BusyError,
    ForbiddenError,
    ImageError,
    MissingBlobError,
    RequestError,
    StorageError,
    TimedOutError,
    TooLargeError,
)
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.training import TrainRequest
from blender_deepdream.protocol.wire import content_hash
from blender_deepdream.server.cli import main
from blender_deepdream.server.tokens import Role, add_token

from .conftest import ended, finish, linux_only, request_for, until_it_dreams
from .process import ROOT, ServerProcess, png, wait_for
from .test_app import ask


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with narrow limits, told so by a file, and tokens by role."""
    folder = tmp_path_factory.mktemp("strict")
    for role in Role:
        (folder / role).write_text(add_token(folder / "tokens", f"a-{role}", role))
    lines = ["# of these tests", "--max-pixels 5000", "--max-queue 3", "--max-jobs-per-token 2  # each"]
    lines += ["--max-request-bytes 4000", "--max-silence 3", f"--tokens {folder / 'tokens'}", "--log json"]
    (folder / "options").write_text("\n".join(lines))
    process = ServerProcess(folder / "data", f"@{folder / 'options'}")
    yield process
    process.kill()


@pytest.fixture(autouse=True)
def _nothing_waits(strict: ServerProcess) -> None:
    """Of the test before."""
    wait_for(lambda: strict.client().health()["queue"] == {"queued": 0, "running": None})


def by_role(server: ServerProcess, role: Role) -> DreamClient:
    return DreamClient(server.url, (server.data.parent / role).read_text())


def test_a_queue_has_an_end(strict: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other = strict.client(), by_role(strict, Role.DREAM)
    jobs = [owner.submit(request_for(owner, steps=1000, octaves=16)) for _ in range(2)]
    with pytest.raises(BusyError, match="owner"):
        owner.submit(request_for(owner, steps=1))
    other.submit(third := request_for(other, steps=1))
    with pytest.raises(BusyError, match="3 jobs"):
        other.submit(request_for(other, steps=1))
    assert other.submit(third).state is JobState.QUEUED, "what is there already is no new job"
    monkeypatch.setattr(client_module, "BUSY_SECONDS", 0.2)
    for job in jobs:
        owner.cancel(job.id)
    by_role(strict, Role.DREAM).as_batch().submit(request_for(other, steps=1))


def test_what_a_batch_has_sent_stays_while_it_waits_for_its_turn(strict: ServerProcess) -> None:
    client = strict.client()
    jobs = [client.submit(request_for(client, steps=1000, octaves=16)) for _ in range(2)]
    waiting = request_for(client, steps=1)
    blob = strict.data / "blobs" / waiting.source
    os.utime(blob, (0, 0))
    with pytest.raises(BusyError):
        client.submit(waiting)
    assert blob.stat().st_mtime > 0, "the store removes what nobody has used for long"
    for job in jobs:
        client.cancel(job.id)


def test_when_to_come_again_is_said(strict: ServerProcess) -> None:
    client = strict.client()
    jobs = [client.submit(request_for(client, steps=1000, octaves=16)) for _ in range(2)]
    connection = HTTPConnection(urlsplit(strict.url).netloc, timeout=20)
    body = json.dumps(request_for(client, steps=1).to_json())
    connection.request("POST", "/v1/jobs", body, {"Authorization": f"Bearer {strict.token}"})
    response = connection.getresponse()
    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 0
    response.read()
    connection.close()
    for job in jobs:
        client.cancel(job.id)


def test_roles(strict: ServerProcess) -> None:
    dreamer, trainer, admin = (by_role(strict, role) for role in Role)
    training = TrainRequest("mine", (("0" * 64, "moss/a.png"), ("1" * 64, "rust/b.png")))
    with pytest.raises(ForbiddenError, match="train"):
        dreamer.submit(training)
    with pytest.raises(ForbiddenError, match="new name"):
        trainer.submit(dataclasses.replace(training, replace=True))
    with pytest.raises(MissingBlobError):
        admin.submit(dataclasses.replace(training, replace=True))
    for client in (dreamer, trainer):
        with pytest.raises(ForbiddenError, match="admin"):
            client.remove_brain("nobody")
    with pytest.raises(Exception, match="nobody"):
        admin.remove_brain("nobody")
    finish(dreamer, request_for(dreamer, steps=1))


def test_nobody_cancels_what_another_token_wants(strict: ServerProcess) -> None:
    one = DreamClient(strict.url, (strict.data.parent / Role.DREAM).read_text(), "same-name")
    other = DreamClient(strict.url, (strict.data.parent / Role.TRAIN).read_text(), "same-name")
    job = one.submit(request_for(one, steps=1000, octaves=16))
    assert not other.cancel(job.id).state.ended
    time.sleep(0.2)
    assert not one.status(job.id).state.ended
    one.cancel(job.id)


def test_large_images_are_not_decoded(strict: ServerProcess) -> None:
    client = strict.client()
    large = dataclasses.replace(request_for(client, steps=1), source=client.put_blob(png(100, 60)))
    for request in (
        large,
        dataclasses.replace(large, source="dusk:100x60"),
        dataclasses.replace(large, mask=large.source),
    ):
        last = ended(client, request)
        assert isinstance(last.error, ImageError)
        assert "100 x 60" in last.error.message


def test_large_requests_are_not_read(strict: ServerProcess) -> None:
    status, answer = ask(strict, "POST", "/v1/jobs", b" " * 4001)
    assert (status, answer["code"]) == (413, "too_large")
    assert strict.client().health()["limits"]["request_bytes"] == 4000


@linux_only
def test_a_job_that_says_nothing_is_ended(strict: ServerProcess) -> None:
    client = strict.client()
    job = client.submit(request_for(client, steps=1000, octaves=16))
    until_it_dreams(client, job.id)
    os.kill(strict.worker_pid(), signal.SIGSTOP)
    *_, last = client.events(job.id)
    assert isinstance(last.error, TimedOutError)
    finish(client, request_for(client, steps=1))


def test_metrics_and_logs_tell_no_secrets(strict: ServerProcess) -> None:
    client = strict.client()
    done = finish(client, request_for(client, steps=1))
    request = Request(f"{strict.url}/metrics", headers={"Authorization": f"Bearer {strict.token}"})
    with build_opener(ProxyHandler({})).open(request, timeout=20) as response:
        told = response.read().decode()
    assert 'deepdream_jobs_ended_total{kind="dream",state="done"}' in told
    assert '/blobs/{sha}"' in told
    assert "deepdream_store_bytes" in told
    assert ask(strict, "GET", "/metrics", Authorization="")[0] == 401
    log = strict.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line.get("job") == done.id and line["state"] == "done" for line in lines)
    assert strict.token not in log
    assert strict.token not in told
    assert done.result is not None
    assert not any(blob in log for blob in done.result.blobs)


def test_a_store_within_its_limit(start_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    blobs = tmp_path / "data" / "blobs"
    blobs.mkdir(parents=True)
    with (blobs / ("f" * 64)).open("wb") as file:
        file.truncate(2**30)  # takes no disk, and counts
    server = start_server("--max-store-gib", "1")
    client = server.client()
    with pytest.raises(StorageError, match="--max-store-gib"):
        client.put_blob(b"x" * 1000)
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    named = {"Authorization": f"Bearer {server.token}"}
    connection.request("PUT", f"/v1/blobs/{content_hash(b'xy')}", iter([b"x", b"y"]), named, encode_chunked=True)
    assert connection.getresponse().status == StorageError.http_status, "nor does it come in without its length"
    connection.close()
    os.utime(blobs / ("f" * 64), (1, 1))
    connection.request("PUT", f"/v1/blobs/{content_hash(b'x')}", b"x", named | {"Content-Length": str(2**50)})
    assert connection.getresponse().status == TooLargeError.http_status
    connection.close()
    assert (blobs / ("f" * 64)).exists(), "nothing goes for what is never taken"
    connection.request("PUT", f"/v1/blobs/{content_hash(b'x')}", b"y" * 2**20, named)
    assert connection.getresponse().status == RequestError.http_status, "other bytes than it says"
    connection.close()
    client.put_blob(b"x" * 1000)
    assert not client.has_blob("f" * 64)


@linux_only
def test_memory_has_an_end() -> None:
    program = (
        "from blender_deepdream.server.memory import limit_memory\n"
        "limit_memory(2**28, 'cuda')\n"
        "try:\n    bytearray(2**29)\nexcept MemoryError:\n    print('refused')\n"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "refused"


def test_options_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert main(["serve", f"@{tmp_path / 'nothing'}"]) == 2
    (tmp_path / "options").write_text("--max-queue none")
    assert main(["serve", f"@{tmp_path / 'options'}"]) == 2
