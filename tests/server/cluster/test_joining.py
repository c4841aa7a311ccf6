# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said where there is no cluster to join."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError, ServerUnavailableError
from blender_deepdream.server.cli import main
from blender_deepdream.server.cluster import joining
from blender_deepdream.server.cluster.joining import Address, _greet, join, prepare, read_address, refused

from ..process import ROOT
from ..test_tls import CERTIFICATES, KEY


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("auto", None),
        ("head", Address("head:6379", "head", 6379)),
        ("10.0.0.7:6380", Address("10.0.0.7:6380", "10.0.0.7", 6380)),
        ("ray://head", Address("ray://head:10001", "head", 10001)),
        ("ray://head:10002", Address("ray://head:10002", "head", 10002)),
    ],
)
def test_addresses(text: str, address: Address | None) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize("text", ["http://head:6379", "head:port", "ray://", "head:99999", "head:²"])
def test_no_address(text: str) -> None:
    with pytest.raises(InputError, match="HOST:6379"):
        read_address(text)


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerUnavailableError, match="ray start --head"):
        join(f"ray://127.0.0.1:{port}")


def test_another_program_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would try for minutes."""
    pytest.importorskip("grpc", reason="Ray is not installed: pip install 'blender-deepdream[cluster]'")
    monkeypatch.setattr(joining, "GREET_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for url in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
            with pytest.raises(ServerUnavailableError, match=f"port {port} is not Ray") as told:
                join(url)
            assert "HOST:6379" in told.value.hint


def test_a_head_that_speaks_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ray does with RAY_USE_TLS: whoever has no certificate of the same authority is told so, not left waiting."""
    grpc = pytest.importorskip("grpc", reason="Ray is not installed: pip install 'blender-deepdream[cluster]'")
    monkeypatch.setattr(joining, "GREET_SECONDS", 5.0)
    good, key = CERTIFICATES / "good.pem", KEY
    server = grpc.server(ThreadPoolExecutor(1))
    own = grpc.ssl_server_credentials([(key.read_bytes(), good.read_bytes())], good.read_bytes(), True)
    port = server.add_secure_port("localhost:0", own)
    server.start()
    address = Address(f"localhost:{port}", "localhost", port)
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with pytest.raises(InputError, match="RAY_TLS_CA_CERT names no file"):
        _greet(address)
    for name, path in (("CA_CERT", good), ("SERVER_CERT", good), ("SERVER_KEY", key)):
        monkeypatch.setenv(f"RAY_TLS_{name}", str(path))
    _greet(address)
    server.stop(0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = listener.getsockname()[1]
        monkeypatch.setattr(joining, "GREET_SECONDS", 1.0)
        with pytest.raises(ServerUnavailableError, match="is not Ray") as told:
            _greet(Address(f"localhost:{plain}", "localhost", plain))
    assert "RAY_USE_TLS" in told.value.hint


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'blender-deepdream\[cluster\]'"):
        prepare("head:6379")


def test_another_version() -> None:
    said = "Version mismatch: The cluster was started with: Ray: 2.9.0 Python: 3.9.18 This process has: Ray: 2.60.0"
    error = refused(Address("head:6379", "head", 6379), RuntimeError(said))
    assert isinstance(error, InputError)
    assert "Python: 3.9.18" in error.message
    assert "same ones on all machines" in error.hint


def test_somebody_else_answers() -> None:
    error = refused(Address("head:22", "head", 22), ConnectionError("ray.init() failed"))
    assert isinstance(error, ServerUnavailableError)
    assert "RAY_AUTH_TOKEN" in error.hint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cluster", "head:6379"], "--shared DIR"),
        (["--cluster", "head:6379", "--shared", "ftp://dreams"], "no object store"),
        (["--cluster", "head:6379", "--shared", "memory://dreams"], "no object store"),
        (["--cluster", "head:6379", "--shared", "s3:///"], "a bucket"),
        (["--cluster", "head:6379", "--shared", "s3://key:secret@dreams"], "AWS_ACCESS_KEY_ID"),
        (["--cluster", "auto", "--tls-cert", str(CERTIFICATES / "expired.pem"), "--tls-key", str(KEY)], "has expired"),
        (["--cluster", "auto", "--data", "here"], "--shared, not --data"),
        (["--shared", "here"], "is for --cluster"),
    ],
)
def test_the_shared_folder(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_port_on_the_head_and_tokens_in_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'blender-deepdream[cluster]'")
    serve = [sys.executable, "-m", "blender_deepdream.server", "serve", "--cluster", "127.0.0.1:6379"]
    serve += ["--shared", str(tmp_path / "shared")]
    for more, said in ((["--port", "0"], "--port 8470"), (["--port", "8470", "--tokens", "elsewhere"], "Move it into")):
        done = subprocess.run([*serve, *more], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_plain_server_does_without_ray() -> None:
    program = (
        "import json, sys\nimport blender_deepdream.server.serve, blender_deepdream.server.worker\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.split('.')[0] == 'ray')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
