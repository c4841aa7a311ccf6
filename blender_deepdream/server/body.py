# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a request, within its limit: in pieces, or as the JSON that it must be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

from fastapi import Request

from ..protocol.errors import RequestError, TooLargeError, TooSlowError

PIECE_BYTES = 2**20
"""How much of an upload is gathered before a thread hashes and writes it."""

DRAIN_BYTES = 2**26
DRAIN_SECONDS = 1.0
"""How much of a refused upload is read and forgotten, and for how long, so that the client hears why."""


PATIENCE_SECONDS = 30.0
SLOWEST = 2**14
"""Bytes a second: a sender that is slower holds a connection and a file for too long."""


class Body:
    """A request's body, of at most `limit` bytes, in pieces worth a trip to another thread.

    It must come within `PATIENCE_SECONDS`, and the time that it takes at `SLOWEST` bytes a second.
    """

    def __init__(self, request: Request, limit: int) -> None:
        self.claimed = int(request.headers.get("Content-Length", 0))
        self._chunks = request.stream()
        self._limit = limit
        self._began = time.monotonic()

    def check_claim(self) -> None:
        """Raises TooLargeError if it says of itself that it is too large."""
        if self.claimed > self._limit:
            raise _too_large(self._limit)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises TooLargeError as soon as the limit is passed, TooSlowError."""
        self.check_claim()
        received, pending = 0, bytearray()
        while (chunk := await self._chunk(received)) is not None:
            received += len(chunk)
            if received > self._limit:
                raise _too_large(self._limit)
            pending += chunk
            if len(pending) >= PIECE_BYTES:
                yield bytes(pending)
                pending.clear()
        yield bytes(pending)

    async def _chunk(self, received: int) -> bytes | None:
        """What comes next, None at the end. Raises TooSlowError."""
        try:
            async with asyncio.timeout(self._began + PATIENCE_SECONDS + received / SLOWEST - time.monotonic()):
                return await anext(self._chunks, None)
        except TimeoutError as error:
            raise TooSlowError(
                "The request takes too long to arrive.", f"Send at least {SLOWEST} bytes a second."
            ) from error

    async def drain(self) -> None:
        """Read on for a while: a connection closed on a client that still sends may lose our answer."""
        left = DRAIN_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for chunk in self._chunks:
                    left -= len(chunk)
                    if left < 0:
                        break


async def json_body(request: Request, limit: int) -> object:
    """limit: in bytes. Raises TooLargeError, TooSlowError, RequestError."""
    body = Body(request, limit)
    try:
        text = b"".join([piece async for piece in body.pieces()])
    except TooLargeError:
        await body.drain()
        raise
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(
            "The request is not JSON, or nested too deeply.", "Send one JSON object in UTF-8."
        ) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"More than {limit} bytes are too many for this server.", "Send a smaller image.")
