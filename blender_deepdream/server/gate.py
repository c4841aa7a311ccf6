# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let in, and under which name: checks of a request's headers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request

from ..protocol.errors import VersionMismatchError
from ..protocol.wire import BATCH_HEADER, CLIENT_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION, check_client
from .auth import check_authorization
from .job import Client

ANONYMOUS = "anonymous"
"""The client of a request that names none."""


def gate(token: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def check(request: Request) -> None:
        """Every request but health: the right token, and no other version of the protocol."""
        check_authorization(request.headers.get("Authorization"), token)
        version = request.headers.get(PROTOCOL_HEADER)
        if version is not None and version != str(PROTOCOL_VERSION):
            raise VersionMismatchError(
                f"The client speaks protocol version {version[:20]!r}, this server {PROTOCOL_VERSION}.",
                "Update the older of the two: the add-on in Blender or the server.",
            )

    return check


def client_of(request: Request) -> Client:
    """Who wants what is asked for. Raises RequestError."""
    name = check_client(request.headers.get(CLIENT_HEADER, ANONYMOUS))
    return Client(name, BATCH_HEADER in request.headers)
