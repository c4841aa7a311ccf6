# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a server listens, and for how long."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable

from ..protocol.errors import ServerUnavailableError
from .serve_options import ServeOptions

log = logging.getLogger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ServerUnavailableError if the address is not ours or the port is taken."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ServerUnavailableError(
            f"Cannot listen on {host} port {port}: {reason}.", "Choose another --port, or 0 for any free one."
        ) from error


def url_of(options: ServeOptions, host: str, port: int) -> str:
    """Where clients find what listens there."""
    scheme = "https" if options.identity else "http"
    if options.identity and options.names:  # the certificate is for a name, not for an address
        host = options.names[0]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def watch_parent(then: Callable[[], None]) -> None:
    """Call `then` when the parent is gone: it holds the other end of our standard input, and that ends with it."""

    def watch() -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader makes the interpreter's end a fatal error
        try:
            while os.read(sys.stdin.fileno(), 4096):
                pass
        except (OSError, ValueError):
            log.info("standard input is closed")
        log.info("the parent process is gone")
        then()

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()
