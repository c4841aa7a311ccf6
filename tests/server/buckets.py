# SPDX-License-Identifier: GPL-3.0-or-later
"""An object store as Amazon's S3, on this machine, behind a socket that can fall silent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .process import ROOT, wait_for

BUCKET = "dreams"

_SERVE = """
import sys
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""


class Buckets:
    """One bucket, `dreams`. address: of what is in it under a name. url: of the store."""

    def __init__(self, name: str = "studio") -> None:
        self.address = f"s3://{BUCKET}/{name}"
        self._behind = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(self._behind)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: _listens(self._behind), 60)
        self._gate = Gate(self._behind)
        self.url = f"http://127.0.0.1:{self._gate.port}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "anna",
            "AWS_SECRET_ACCESS_KEY": "a secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
        }

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Inside the block it takes connections, and answers nothing."""
        self._gate.shut()
        try:
            yield
        finally:
            self._gate.open()

    def close(self) -> None:
        self._gate.close()
        self._process.kill()
        self._process.wait(10)


class Gate:
    """Passes on what comes to a port to another one, or keeps it waiting."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        """Whoever waited must come again."""
        self._open.set()  # first: who comes again at once would be kept waiting for ever
        for one in tuple(self._sockets):
            _end(one)

    def close(self) -> None:
        self.open()
        _end(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.add(client)
            if not self._open.is_set():
                continue
            server = socket.create_connection(("127.0.0.1", self._behind))
            self._sockets.add(server)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while self._open.is_set() and (data := one.recv(2**16)):
                if not self._open.is_set():
                    return
                other.sendall(data)
        except OSError:
            pass
        if self._open.is_set():
            _end(one)
            _end(other)
            self._sockets.discard(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def free_port() -> int:
    """One where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
