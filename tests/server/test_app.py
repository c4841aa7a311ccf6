# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire, against a real server: what it answers, and what it refuses."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import (
    ImageError,
    MissingBlobError,
    NotFoundError,
    RequestError,
    SettingsError,
    TooLargeError,
    UnauthorizedError,
    UnknownBrainError,
    UnknownLayerError,
)
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.protocol.wire import MAX_BLOB_BYTES, PROTOCOL_VERSION, content_hash

from .conftest import linux_only
from .process import ServerProcess, png, png_of

NO_BLOB = "0" * 64


def ask(server: ServerProcess, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """Status and JSON of a bare HTTP exchange; header names are written with underscores."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {server.token}", **named})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


def assert_is_error(answer: Any) -> None:
    assert set(answer) == {"code", "message", "hint"}
    assert answer["message"]
    assert "Traceback" not in json.dumps(answer)


def test_health_needs_no_token(server: ServerProcess) -> None:
    status, health = ask(server, "GET", "/v1/health", Authorization="")
    assert status == 200
    assert health["protocol"] == PROTOCOL_VERSION
    assert health["queue"]["queued"] == 0
    assert health["limits"]["blob_bytes"] == MAX_BLOB_BYTES


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer \xe4\xf6\xfc", "Bearer  "])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/brains"), ("POST", "/v1/jobs"), ("PUT", f"/v1/blobs/{NO_BLOB}")]
)
def test_a_wrong_token_is_refused(server: ServerProcess, method: str, path: str, header: str) -> None:
    status, answer = ask(server, method, path, Authorization=header)
    assert (status, answer["code"]) == (401, "unauthorized")
    assert_is_error(answer)


def test_the_client_says_that_its_token_is_wrong(server: ServerProcess) -> None:
    stranger = DreamClient(server.url, "wrong")
    assert stranger.health()["protocol"] == PROTOCOL_VERSION
    for forbidden in (stranger.brains, lambda: stranger.has_blob(NO_BLOB), lambda: stranger.put_blob(b"x")):
        with pytest.raises(UnauthorizedError):
            forbidden()


def test_another_protocol_version_is_refused(server: ServerProcess) -> None:
    status, answer = ask(server, "GET", "/v1/brains", DeepDream_Protocol="999")
    assert (status, answer["code"]) == (426, "version_mismatch")
    assert ask(server, "GET", "/v1/brains", DeepDream_Protocol=str(PROTOCOL_VERSION))[0] == 200
    assert ask(server, "GET", "/v1/brains")[0] == 200, "people with curl need not name it"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/docs", 404), ("GET", "/openapi.json", 404), ("PATCH", "/v1/jobs", 405)],
)
def test_addresses_that_do_not_exist(server: ServerProcess, method: str, path: str, status: int) -> None:
    found, answer = ask(server, method, path)
    assert found == status
    assert_is_error(answer)


def test_brains(server: ServerProcess, client: DreamClient) -> None:
    (brain,) = [brain for brain in client.brains() if brain.name == "lite0"]
    assert set(dict(brain.default_layers)) <= set(brain.layers)
    details = client.brain("lite0")
    assert details.info == brain
    assert [layer.name for layer in details.layers] == list(brain.layers)
    assert len(details.classes) == 1000
    assert ask(server, "GET", f"/v1/brains/{brain.id}") == (200, details.to_json())
    status, answer = ask(server, "GET", "/v1/brains/nobody")
    assert (status, answer["code"]) == (422, "unknown_brain")


def test_blobs_there_and_back(client: DreamClient, tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000
    (tmp_path / "in").write_bytes(data)
    sha = content_hash(data)
    assert not client.has_blob(sha)
    assert client.put_blob(tmp_path / "in") == client.put_blob(data) == sha
    assert client.has_blob(sha)
    client.get_blob(sha, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == data
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_which_blobs_are_missing(server: ServerProcess, client: DreamClient) -> None:
    there, missing = client.put_blob(b"there"), content_hash(b"missing")
    assert client.missing_blobs([there, missing, missing]) == {missing}
    assert client.missing_blobs([]) == set()
    for wrong in (b"[]", b'{"blobs": ["x"]}', b'{"blobs": [], "more": 1}', b'{"blobs": 1}', b"{"):
        assert ask(server, "POST", "/v1/blobs/missing", wrong)[0] == 400


def test_an_empty_blob(client: DreamClient, tmp_path: Path) -> None:
    sha = client.put_blob(b"")
    client.get_blob(sha, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b""


def test_bytes_of_another_hash_are_not_kept(server: ServerProcess, client: DreamClient) -> None:
    sha = content_hash(b"what was promised")
    status, answer = ask(server, "PUT", f"/v1/blobs/{sha}", b"something else")
    assert (status, answer["code"]) == (400, "request")
    assert not client.has_blob(sha)
    assert not client.has_blob(content_hash(b"something else"))
    assert not list((server.data / "unfinished").iterdir())


def test_a_blob_that_claims_to_be_too_large(server: ServerProcess) -> None:
    status, answer = ask(server, "PUT", f"/v1/blobs/{NO_BLOB}", b"x", Content_Length=str(MAX_BLOB_BYTES + 1))
    assert (status, answer["code"]) == (413, "too_large")


def test_missing_things(server: ServerProcess, client: DreamClient, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        client.get_blob(NO_BLOB, tmp_path / "out")
    with pytest.raises(NotFoundError):
        client.status(NO_BLOB)
    with pytest.raises(NotFoundError):
        client.cancel(NO_BLOB)
    with pytest.raises(NotFoundError):
        next(client.events(NO_BLOB))
    with pytest.raises(MissingBlobError):
        client.submit(DreamRequest(NO_BLOB))
    with pytest.raises(ImageError):
        client.put_blob(tmp_path / "nothing")
    status, answer = ask(server, "GET", "/v1/blobs/..%2f..%2fetc%2fpasswd")
    assert status in (400, 404)
    assert_is_error(answer)


def test_unknown_names(client: DreamClient) -> None:
    with pytest.raises(UnknownBrainError, match="lite0"):
        client.submit(DreamRequest(NO_BLOB, DreamSettings().replace(brain="nobody")))
    with pytest.raises(UnknownLayerError, match="_blocks"):
        client.resolve(DreamRequest(NO_BLOB, DreamSettings().replace(layers=[["nowhere", 1]])))


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/resolve"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b'"dream"',
        b"[" * 100_000,
        b'{"kind": "dream"}',
        b'{"kind": "train", "source": "x"}',
        b'{"kind": ["dream"]}',
        b'{"kind": "dream", "source": 7}',
        b'{"kind": "dream", "source": "../../etc/passwd"}',
        b'{"kind": "dream", "source": "%s", "extra\\ud800": 1}' % (b"0" * 64),
        b'{"kind": "dream", "source": "%s", "mask": {}}' % (b"0" * 64),
        b'{"kind": "dream", "source": "%s", "color_space": ["sRGB"]}' % (b"0" * 64),
    ],
)
def test_malformed_requests(server: ServerProcess, path: str, body: bytes) -> None:
    status, answer = ask(server, "POST", path, body)
    assert status == 400
    assert_is_error(answer)


@pytest.mark.parametrize(
    "settings",
    [
        "7",
        '{"steps": 0}',
        '{"steps": 1e400}',
        '{"steps": %s}' % ("9" * 400),
        '{"steps": true}',
        '{"steps": "12"}',
        '{"steps": null}',
        '{"octaves": 2.5}',
        '{"octave_scale": 1}',
        '{"self": 1}',
        '{"nothing": 1}',
        '{"nothing\\ud800": 1}',
        '{"brain": ""}',
        '{"brain": "\\u0000"}',
        '{"layers": "_blocks.9"}',
        '{"layers": [["_blocks.9"]]}',
        '{"layers": [["_blocks.9", 1], ["_blocks.9", 1]]}',
        '{"layers": [["_blocks.9", 0]]}',
        '{"layers": [["_blocks.9", 1e999]]}',
        '{"layers": [["\\ud800", 1]]}',
    ],
)
def test_settings_out_of_range(server: ServerProcess, settings: str) -> None:
    body = f'{{"kind": "dream", "source": "{NO_BLOB}", "settings": {settings}}}'
    status, answer = ask(server, "POST", "/v1/jobs", body.encode())
    assert (status, answer["code"]) == (422, SettingsError.code)
    assert_is_error(answer)


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"9" * 5000])
def test_numbers_that_are_not_json(server: ServerProcess, number: bytes) -> None:
    body = b'{"kind": "dream", "source": "%s", "settings": {"steps": %s}}' % (NO_BLOB.encode(), number)
    assert ask(server, "POST", "/v1/jobs", body)[0] == 400


def test_a_request_of_ten_megabytes(client: DreamClient) -> None:
    class Endless(DreamRequest):
        def to_json(self) -> dict[str, Any]:
            return {"kind": "x" * 10 * 2**20}

    with pytest.raises(TooLargeError):
        client.submit(Endless(NO_BLOB))


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "\xe4"])
def test_clients_without_a_proper_name(server: ServerProcess, name: str) -> None:
    assert ask(server, "DELETE", f"/v1/jobs/{NO_BLOB}", DeepDream_Client=name)[0] == 400


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"not an image at all", "not an"),
        (png(48, 32)[:200], ""),
        (png_of(100_000, 100_000, b""), ""),
        (png_of(100_000, 8, b""), "100000 x 8"),
        (png_of(0, 0, b""), ""),
    ],
)
def test_images_that_are_none_fail_their_job(client: DreamClient, data: bytes, said: str) -> None:
    job = client.submit(DreamRequest(client.put_blob(data)))
    *_, last = client.events(job.id)
    assert last.state is JobState.FAILED
    assert isinstance(last.error, ImageError)
    assert said in str(last.error)
    assert "blobs" not in str(last.error), "a path on the server helps nobody"


def test_a_malformed_name_never_reaches_the_server(client: DreamClient) -> None:
    with pytest.raises(RequestError):
        client.status("../health")


@linux_only
def test_the_server_process_does_not_load_torch(server: ServerProcess, client: DreamClient) -> None:
    client.brains()
    assert "libtorch" not in Path(f"/proc/{server.pid}/maps").read_text()
    assert "OpenImageIO" not in Path(f"/proc/{server.pid}/maps").read_text()
    assert "libtorch" in Path(f"/proc/{server.worker_pid()}/maps").read_text()


def test_health_answers_at_once_while_a_dream_runs(client: DreamClient, long_request: DreamRequest) -> None:
    job = client.submit(long_request)
    events = client.events(job.id)
    while not next(events).progress:
        pass
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        assert client.health()["queue"]["running"] == job.id
        seconds.append(time.perf_counter() - start)
    client.cancel(job.id)
    assert sorted(seconds)[10] < 0.05
