# SPDX-License-Identifier: GPL-3.0-or-later
"""A page in a browser that gives its own name our address is not let in."""

from __future__ import annotations

import socket

import pytest

from blender_deepdream.protocol.errors import RequestError
from blender_deepdream.server.hosts import check_host, own_names

from .process import ServerProcess
from .test_app import ask, assert_is_error


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1:8470",
        "192.168.7.1",
        "[::1]:8470",
        socket.gethostname(),
        "dreams.studio.",
    ],
)
def test_own_names(host: str) -> None:
    check_host(host, own_names("Dreams.Studio"))


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8470", "127.0.0.1.evil.example", "[x]", "::1"]
)
def test_other_names(host: str | None) -> None:
    with pytest.raises(RequestError, match="--allow-host"):
        check_host(host, own_names())


def test_on_the_wire(server: ServerProcess) -> None:
    for path in ("/v1/health", "/v1/brains", "/metrics"):
        status, answer = ask(server, "GET", path, Host="evil.example")
        assert status == 400
        assert_is_error(answer)
    assert ask(server, "GET", "/v1/health", Host="localhost")[0] == 200


def test_no_page_of_another_origin_is_let_in(server: ServerProcess) -> None:
    path = f"/v1/blobs/{'0' * 64}"
    status, answer = ask(server, "OPTIONS", path, Origin="http://evil.example", Access_Control_Request_Method="PUT")
    assert status == 405
    assert "access-control" not in str(answer).lower()
