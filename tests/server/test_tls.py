# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS: certificates that are of no use are said before anybody meets them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import InputError, ServerUnavailableError
from blender_deepdream.server.cli import main
from blender_deepdream.server.tls import Identity, check_identity

from .process import ServerProcess

CERTIFICATES = Path(__file__).with_name("certificates")
"""Of localhost, self-signed, for these tests only."""

KEY = CERTIFICATES / "key.pem"


def test_a_good_one() -> None:
    check_identity(Identity(CERTIFICATES / "good.pem", KEY))


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("expired.pem", "key.pem", "has expired"),
        ("future.pem", "key.pem", "is not valid yet"),
        ("good.pem", "other-key.pem", "cannot be used"),
        ("good.pem", "locked-key.pem", "cannot be used"),
        ("key.pem", "key.pem", "cannot be used"),
        ("nothing.pem", "key.pem", "There is no file"),
    ],
)
def test_those_of_no_use(certificate: str, key: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_identity(Identity(CERTIFICATES / certificate, CERTIFICATES / key))


def test_a_key_that_this_user_may_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)  # root, who may run the tests, may read everything
    with pytest.raises(InputError, match="Permission denied"):
        check_identity(Identity(CERTIFICATES / "good.pem", KEY))


def test_a_server_does_not_start_with_an_expired_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--tls-cert", str(CERTIFICATES / "expired.pem"), "--tls-key", str(KEY)]
    assert main(["serve", "--data", str(tmp_path), *files]) == 2
    said = capsys.readouterr().err
    assert "has expired" in said
    assert "renewed" in said
    assert main(["serve", "--data", str(tmp_path), *files[:2]]) == 2
    assert "--tls-key" in capsys.readouterr().err


def test_over_https(start_server: Callable[..., ServerProcess], monkeypatch: pytest.MonkeyPatch) -> None:
    good = str(CERTIFICATES / "good.pem")
    server = start_server("--tls-cert", good, "--tls-key", str(KEY))
    assert server.url.startswith("https://127.0.0.1:")
    with pytest.raises(ServerUnavailableError, match="certificate"):
        server.client().health()
    monkeypatch.setenv("SSL_CERT_FILE", good)
    client = server.client()
    assert client.health()["protocol"]
    assert client.has_blob(client.put_blob(b"encrypted on the way"))
    with pytest.raises(ServerUnavailableError):
        DreamClient(server.url.replace("https", "http"), server.token).health()
