# SPDX-License-Identifier: GPL-3.0-or-later
"""Under which names this server may be asked for.

A page in somebody's browser can give its own name this machine's address (DNS rebinding), and then speak to a server
here as if it were its own. The Host header still tells the page's name; an address or `localhost` cannot be rebound.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from ..protocol.errors import RequestError


def own_names(*told: str) -> frozenset[str]:
    """Those of this machine, and those that it was told to have besides."""
    return frozenset(name.lower().rstrip(".") for name in ("localhost", socket.gethostname(), *told) if name)


def check_host(header: str | None, names: Iterable[str]) -> None:
    """Raises RequestError for a name that is not this server's."""
    host = _without_port(header or "")
    if host in names:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise RequestError(
            f"This server is not called {host[:100]!r}.",
            "Use its address, or have it started with --allow-host and this name.",
        ) from None


def _without_port(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
