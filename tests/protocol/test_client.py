# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against servers that misbehave; tests/server has it against a real one."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_deepdream.protocol import client as client_module
from blender_deepdream.protocol.client import RECONNECTS, DreamClient
from blender_deepdream.protocol.errors import (
    DeepDreamError,
    NotFoundError,
    RequestError,
    ServerUnavailableError,
    StorageError,
    VersionMismatchError,
)
from blender_deepdream.protocol.jobs import JobState, JobStatus
from blender_deepdream.protocol.messages import DreamResult
from blender_deepdream.protocol.wire import PROTOCOL_VERSION, content_hash

SHA = content_hash(b"some bytes")
Talk = Callable[..., DreamClient]


@pytest.fixture
def talk() -> Iterator[Talk]:
    """A client of a server that gives these answers, one for each connection, and then the last one again."""
    listeners: list[socket.socket] = []

    def start(*answers: bytes, timeout: float = 5.0) -> DreamClient:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_answer, args=(listener, answers), daemon=True).start()
        return DreamClient(f"http://127.0.0.1:{listener.getsockname()[1]}", "token", timeout=timeout)

    yield start
    for listener in listeners:
        listener.close()


def _answer(listener: socket.socket, answers: tuple[bytes, ...]) -> None:
    count = 0
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            connection.recv(65536)
            answer = answers[min(count, len(answers) - 1)]
            count += 1
            if answer == SILENCE:
                connection.recv(1)  # until the client has enough
            else:
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)


SILENCE = b"silence"


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def events(*jobs: JobStatus) -> bytes:
    text = "".join(f"event: x\ndata: {json.dumps(job.to_json())}\n\n: still here\n\n" for job in jobs)
    return http(text.encode(), "200 OK", "Content-Type: text/event-stream")


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = DreamClient(f"http://127.0.0.1:{port}", "token")
    for call in (client.health, client.brains, lambda: client.status(SHA), lambda: client.put_blob(b"x")):
        with pytest.raises(ServerUnavailableError, match=str(port)) as caught:
            call()
        assert caught.value.hint


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\xff\xfe garbage\r\n\r\n",
        SILENCE,
        http(b""),
        http(b"<html>hello</html>"),
        http(b"[1, 2]"),
        http(b"{}"),
        http(b"[" * 100_000),
        http(b" " * (client_module.MAX_ANSWER_BYTES + 1)),
        http(b'{"id": "x", "state": "done"}'),
        http(b'{"id": "%s", "state": "confused"}' % SHA.encode()),
        http(b'{"id": "%s", "state": "done", "result": 7}' % SHA.encode()),
        http(b"<html>not found</html>", "404 Not Found"),
        http(b"{}", "500 Oh"),
        http(b"", "302 Found", "Location: http://example.org/"),
    ],
    ids=lambda answer: answer[:60],
)
def test_answers_that_are_not_a_dream_servers(talk: Talk, answer: bytes) -> None:
    with pytest.raises(ServerUnavailableError):
        talk(answer, timeout=0.5).status(SHA)


def test_errors_keep_their_class(talk: Talk) -> None:
    error = NotFoundError("There is no such job.", "Submit it.")
    with pytest.raises(NotFoundError, match="no such job") as caught:
        talk(http(json.dumps(error.to_wire()).encode(), "404 Not Found")).status(SHA)
    assert caught.value.hint == "Submit it."


@pytest.mark.parametrize(
    ("version", "side"), [(PROTOCOL_VERSION + 1, "add-on"), (PROTOCOL_VERSION - 1, "server"), ("x", "add-on")]
)
def test_health_says_which_side_is_old(talk: Talk, version: object, side: str) -> None:
    with pytest.raises(VersionMismatchError, match=side):
        talk(http(json.dumps({"protocol": version}).encode())).health()


def test_a_blob_that_arrives_damaged_is_not_kept(talk: Talk, tmp_path: Path) -> None:
    for answer in (http(b"other bytes"), http(b"some", "200 OK", "Content-Length: 10")):
        with pytest.raises((StorageError, ServerUnavailableError)):
            talk(answer).get_blob(SHA, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(talk: Talk, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        talk(http(b"some bytes")).get_blob(SHA, tmp_path / "missing" / "out")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError):
        talk(http(b"some bytes")).get_blob(SHA, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


RUNNING = JobStatus(SHA, JobState.RUNNING)
DONE = JobStatus(SHA, JobState.DONE, result=DreamResult(SHA, 1, 1, 1.0))


def test_an_event_stream_that_breaks_is_taken_up_again(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    broken = events(RUNNING)[:-5] + b"\ndata: {"
    client = talk(events(RUNNING), b"", b"", events(RUNNING, RUNNING), broken, events(DONE))
    assert list(client.events(SHA)) == [RUNNING] * 4 + [DONE]


def test_a_server_that_stays_away_is_given_up(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    following = talk(events(RUNNING), b"").events(SHA)
    assert next(following) == RUNNING
    with pytest.raises(ServerUnavailableError):
        next(following)
    assert len(pauses) == RECONNECTS
    assert sum(pauses) < 10


def test_errors_end_an_event_stream(talk: Talk) -> None:
    gone = http(json.dumps(NotFoundError("gone").to_wire()).encode(), "404 Not Found")
    with pytest.raises(NotFoundError):
        list(talk(events(RUNNING), gone).events(SHA))


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:80", "ftp://host", "http://", "http://host:99999", "file:///etc/passwd", "http://[::1"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ServerUnavailableError):
        DreamClient(url, "token")


@pytest.mark.parametrize("token", ["a\nb", "\xe4", "a\r\nHost: x"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(DeepDreamError):
        DreamClient("http://localhost:1", token)


def test_clients_have_names() -> None:
    assert DreamClient("http://localhost:1", "t", "me").client_id == "me"
    assert DreamClient("http://localhost:1", "t").client_id != DreamClient("http://localhost:1", "t").client_id
    with pytest.raises(RequestError):
        DreamClient("http://localhost:1", "t", "a b")


def test_proxies_are_ignored(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert talk(http(json.dumps({"protocol": PROTOCOL_VERSION}).encode())).health()


def test_it_needs_the_standard_library_only() -> None:
    program = "import sys, blender_deepdream.protocol.client; print(*sys.modules)"
    root = Path(__file__).parents[2]
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert not {"torch", "numpy", "httpx", "fastapi", "asyncio", "bpy"} & set(loaded.split())
