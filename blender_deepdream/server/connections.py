# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that nobody uses are closed: uvicorn waits for ever for a request that never ends and a reader that
never reads."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""In which a request's head must be here, from the connection's first moment or the head's first byte."""

STALL_SECONDS = 60.0
"""How long a client may leave what it asked for unread."""


class Guarded(H11Protocol):
    """A connection with a time limit on each thing that it waits for, among at most `limit` of them.

    Slow bodies are `body`'s concern.
    """

    limit = 1000

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limit:
            transport.abort()
            return
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_head_timer()
        elif self._head_timer is None and self._has_begun():  # another request on the same connection
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._abort)

    def resume_writing(self) -> None:
        self._stop_stall_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def _has_begun(self) -> bool:
        """Whether a part of a head is here."""
        return bool(self.conn.trailing_data[0])

    def _abort(self) -> None:
        self.transport.abort()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


def guarded(limit: int) -> type[asyncio.Protocol]:
    """The protocol of at most so many connections."""
    return type("Guarded", (Guarded,), {"limit": limit})
