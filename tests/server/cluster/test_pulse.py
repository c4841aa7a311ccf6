# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Serve and the cluster's head are still there."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from blender_deepdream.server.cluster import pulse
from blender_deepdream.server.cluster.joining import Address
from blender_deepdream.server.cluster.pulse import head_gone, is_serve, until_gone


@pytest.mark.parametrize(
    ("status", "body", "expected"), [(200, b"success", True), (200, b"hello", False), (503, b"success", False)]
)
def test_only_serve_answers_so(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, expected: bool) -> None:
    monkeypatch.setattr(pulse, "READY_SECONDS", 0.0)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/-/healthz" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert is_serve("127.0.0.1", server.server_port, tls=False) is expected
        assert not is_serve("127.0.0.1", server.server_port, tls=True), "it speaks no TLS"
        server.shutdown()


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "READY_SECONDS", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not is_serve("127.0.0.1", port, tls=False)


def test_a_head_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "HEAD_SECONDS", 0.01)
    monkeypatch.setattr(pulse, "GONE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address("head", "127.0.0.1", listener.getsockname()[1])
        watching = threading.Thread(target=until_gone, args=[address], daemon=True)
        watching.start()
        time.sleep(0.5)
        assert watching.is_alive()
    watching.join(20)
    assert not watching.is_alive()
    assert "go on" in head_gone(address).hint
