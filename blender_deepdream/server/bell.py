# SPDX-License-Identifier: GPL-3.0-or-later
"""Something changed: how the event loop's tasks wait for one another."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings for everybody who waits for it at that moment."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Set when it rings next. Take it before looking, so that no change falls in between."""
        return self._event

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()


async def heard(event: asyncio.Event, seconds: float) -> bool:
    """Whether it was set within this time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
