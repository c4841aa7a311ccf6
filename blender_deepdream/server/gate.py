# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let in, and under which name: checks of a request's headers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request

from ..protocol.errors import VersionMismatchError
from ..protocol.wire import BATCH_HEADER, CLIENT_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION, check_client
from .hosts import check_host
from .job import Client
from .tokens import Holder, Keyring, Role, check_role

ANONYMOUS = "anonymous"
"""The client of a request that names none."""

Check = Callable[[Request], Coroutine[Any, Any, None]]


def called_right(names: frozenset[str]) -> Check:
    """Let in who asks for this server by one of its names."""

    async def check(request: Request) -> None:
        check_host(request.headers.get("Host"), names)

    return check


def let_in(keyring: Keyring) -> Check:
    """Let in who has a token, and speaks no other version of the protocol."""

    async def check(request: Request) -> None:
        request.state.holder = keyring.holder(request.headers.get("Authorization"))
        version = request.headers.get(PROTOCOL_HEADER)
        if version is not None and version != str(PROTOCOL_VERSION):
            raise VersionMismatchError(
                f"The client speaks protocol version {version[:20]!r}, this server {PROTOCOL_VERSION}.",
                "Update the older of the two: the add-on in Blender or the server.",
            )

    return check


def needs(role: Role) -> Check:
    """Let in whose token has this role."""

    async def check(request: Request) -> None:
        check_role(holder_of(request), role)

    return check


def holder_of(request: Request) -> Holder:
    """Whose token it was that let this request in."""
    holder: Holder = request.state.holder
    return holder


def client_of(request: Request) -> Client:
    """Who wants what is asked for. Raises RequestError."""
    name = check_client(request.headers.get(CLIENT_HEADER, ANONYMOUS))
    token = holder_of(request).name
    # nobody cancels what the bearer of another token wants
    return Client(f"{token}/{name}", token, BATCH_HEADER in request.headers)
