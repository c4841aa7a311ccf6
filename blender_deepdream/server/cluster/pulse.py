# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what we count on in a cluster is still there, asked from outside: Ray itself waits for minutes, and ends the
process in words of its own."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
import threading
import time

from ...protocol.errors import ServerUnavailableError
from .joining import KNOCK_SECONDS, Address

READY_SECONDS = 10.0
"""How long Serve's proxy may take to know of an application that runs."""

HEAD_SECONDS = 5.0
GONE_SECONDS = 20.0
"""How often the head is asked for, and how long it may be away: less than Ray waits for it."""


def is_serve(host: str, port: int, *, tls: bool) -> bool:
    """Whether Ray Serve's proxy answers there, and has an application."""
    end = time.monotonic() + READY_SECONDS
    while not (answers := _is_healthy(host, port, tls)) and time.monotonic() < end:
        time.sleep(0.5)
    return answers


def _is_healthy(host: str, port: int, tls: bool) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=KNOCK_SECONDS)
    if tls:  # whose certificate it is does not matter: nothing is told that is anybody's
        trusting = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(host, port, timeout=KNOCK_SECONDS, context=trusting)
    try:
        connection.request("GET", "/-/healthz")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read(64) == b"success"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def watch_head(address: Address | None) -> None:
    """From now on end this process, in words, when the head is gone. None: a cluster that ends with us."""
    if address is not None:
        threading.Thread(target=_end_with, args=[address], name="watch-head", daemon=True).start()


def _end_with(address: Address) -> None:
    until_gone(address)
    error = head_gone(address)
    print(f"deepdream: {error.message}\n  {error.hint}", file=sys.stderr, flush=True)
    os._exit(error.exit_code)  # nothing that asks Ray for leave would come to an end


def until_gone(address: Address) -> None:
    """Until nobody has answered for `GONE_SECONDS`."""
    seen = time.monotonic()
    while time.monotonic() - seen < GONE_SECONDS:
        time.sleep(HEAD_SECONDS)
        try:
            socket.create_connection((address.host, address.port), KNOCK_SECONDS).close()
            seen = time.monotonic()
        except OSError:
            pass


def head_gone(address: Address) -> ServerUnavailableError:
    return ServerUnavailableError(
        f"The cluster's head at {address.host} port {address.port} is gone.",
        "Start it again with `ray start --head`, then this command: jobs that waited are written down, and go on.",
    )
