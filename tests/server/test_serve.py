# SPDX-License-Identifier: GPL-3.0-or-later
"""The server as a process: its arguments, its signals, its disk, its end."""

from __future__ import annotations

import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from blender_deepdream.engine.folders import DATA_VARIABLE, data_folder
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import StorageError, TooLargeError
from blender_deepdream.protocol.jobs import JobState

from .conftest import ended, linux_only, request_for
from .process import ROOT, ServerProcess, is_running, wait_for

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")


def dreaming(server: ServerProcess) -> tuple[DreamClient, str]:
    """A client and its job, which dreams."""
    client = server.client()
    job = client.submit(request_for(client, steps=1000, octaves=16))
    assert any(status.progress for status in client.events(job.id))
    return client, job.id


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(start_server: Callable[..., ServerProcess], number: signal.Signals) -> None:
    server = start_server()
    client, job_id = dreaming(server)
    events = client.events(job_id)
    next(events)
    start = time.monotonic()
    os.kill(server.pid, number)
    assert server.wait(5) == 0
    assert time.monotonic() - start < 2
    assert "Traceback" not in server.log.read_text()
    assert not list(server.data.glob("token*"))


def test_it_ends_with_its_parent(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--exit-with-parent")
    dreaming(server)
    worker = server.worker_pid() if sys.platform == "linux" else 0
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.wait(5) == 0
    assert not is_running(worker)
    assert "Traceback" not in server.log.read_text()


def test_standard_output_is_one_line(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--exit-with-parent")
    assert set(server.greeting) == {"url", "token_file", "pid"}
    assert server.greeting["pid"] == server.pid
    server.client().brains()
    assert server.process.stdin is not None
    assert server.process.stdout is not None
    server.process.stdin.close()
    assert server.process.stdout.read() == b""
    assert server.token not in server.log.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such permissions")
def test_the_token_is_private(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    assert stat.S_IMODE(Path(server.greeting["token_file"]).stat().st_mode) == 0o600


def test_a_token_of_ones_own(start_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    made = start_server("--token-file", str(token_file)).token
    assert token_file.read_text() == made
    assert start_server("--token-file", str(token_file)).token == made


def test_a_blob_beyond_the_limit(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--max-blob-bytes", "1000000")
    client = server.client()
    client.put_blob(b"x" * 1_000_000)
    for size in (1_000_001, 20_000_000):
        with pytest.raises(TooLargeError):
            client.put_blob(b"x" * size)
    assert not list((server.data / "unfinished").iterdir())


@linux_only
def test_a_full_disk(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(limit_file_bytes=100_000)
    client = server.client()
    with pytest.raises(StorageError, match="full"):
        client.put_blob(random.Random(0).randbytes(3_000_000))
    last = ended(client, request_for(client, steps=1))
    assert last.state is JobState.FAILED
    assert isinstance(last.error, StorageError)
    assert not list((server.data / "unfinished").iterdir())
    assert client.put_blob(b"small things still fit")


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "blender_deepdream.server", "serve", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL
    )


def test_an_address_that_cannot_be_had(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = refused("--data", str(tmp_path), "--port", port)
    assert ended.returncode == 1
    assert port in ended.stderr
    assert refused("--data", str(tmp_path), "--host", "256.256.256.256").returncode == 1
    assert refused("--data", str(tmp_path), "--port", "70000").returncode == 2


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = refused("--data", str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "cannot be written" in ended.stderr


def test_listening_to_the_network_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blender_deepdream.server", "serve", "--host", "0.0.0.0", "--exit-with-parent"]
    ended = subprocess.run(
        [*command, "--data", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True, input=""
    )
    assert "unencrypted" in ended.stderr


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv(DATA_VARIABLE)
    assert data_folder().name == "deepdream"


@linux_only
def test_it_ends_even_if_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        f"command = [sys.executable, '-m', 'blender_deepdream.server', 'serve', '--data', {str(tmp_path)!r}]\n"
        "server = subprocess.Popen([*command, '--exit-with-parent'], stdin=subprocess.PIPE)\n"
        "print(server.pid, flush=True)\n"
        "server.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        assert "url" in parent.stdout.readline()
        parent.kill()
    wait_for(lambda: not is_running(server), seconds=5)
