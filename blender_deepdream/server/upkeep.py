# SPDX-License-Identifier: GPL-3.0-or-later
"""The store within its limit: the least recently used goes first.

What a job needs or a client has still to fetch is marked as used again and again, so that another server on the same
folder, which knows nothing of our jobs, leaves it alone, too: what was used within `GRACE_SECONDS` stays.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator

from ..protocol.errors import StorageError
from .store import Kept, Store

log = logging.getLogger(__name__)

GRACE_SECONDS = 600.0
"""What was used within this time stays: an upload comes before the job that names it."""

ROUND_SECONDS = 60.0
LOW_WATER = 0.9
"""A store that is over its limit is brought down to this share of it, so that not every upload begins anew."""

BATCH = 1000
"""Files that go before it is looked how much is left."""


class Upkeep:
    """limit: bytes, 0 for none. needed: the blobs that must stay, whatever their age."""

    def __init__(self, store: Store, limit: int, needed: Callable[[], Collection[str]]) -> None:
        self._store = store
        self._limit = limit
        self._needed = needed
        self._used = 0
        self._counts = 0
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def used(self) -> int:
        """Bytes in the store, as of the last count."""
        return self._used

    def start(self) -> None:
        self._task = asyncio.create_task(self._rounds())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def make_room(self, size: int) -> None:
        """Before so many bytes are taken in. Raises StorageError if there is no room for them."""
        if not self._limit or self._used + size <= self._limit:
            self._used += size
            return
        await self.tidy(size)
        if self._used + size > self._limit:
            raise StorageError(
                "The store is full of what jobs need, trainings go on with, clients have still to fetch, or has "
                "just been sent.",
                "Try again later; whoever runs the server can give it more with --max-store-gib.",
            )
        self._used += size

    @property
    def counts(self) -> int:
        """How often all has been counted."""
        return self._counts

    def give_back(self, size: int, since: int) -> None:
        """What room was made for when there were so many counts has not come: a later one has seen that."""
        if since == self._counts:
            self._used -= size

    async def tidy(self, room: int = 0) -> None:
        """Mark what is needed, count all, and let go of what is too much if `room` more bytes shall fit."""
        async with self._one_at_a_time:
            self._used = await asyncio.to_thread(self._tidy, frozenset(self._needed()), room)
            self._counts += 1

    async def _rounds(self) -> None:
        while True:
            try:
                await self.tidy()
            except StorageError as error:  # in words of ours: those of an object store's driver may tell what they like
                log.warning("the store could not be tidied: %s", error)
            except Exception:  # the boundary of this task: the next round may go better
                log.exception("the store could not be tidied")
            await asyncio.sleep(ROUND_SECONDS)

    def _tidy(self, needed: Collection[str], room: int) -> int:
        self._store.missing(needed)  # these count as used
        kept = self._store.everything()
        used = sum(one.size for one in kept) + self._store.in_trainings()
        if not self._limit or used + room <= self._limit:
            return used
        now = time.time()
        oldest = sorted(kept, key=lambda one: one.used)
        idle = (one for one in oldest if one.name not in needed and not _recent(one, now))
        while (excess := used + room - self._limit * LOW_WATER) > 0 and (batch := _first(idle, excess)):
            used -= self._store.let_go(batch)
        return used


def _first(idle: Iterator[Kept], excess: float) -> list[Kept]:
    """As many of them as come to so many bytes, up to a batch."""
    batch: list[Kept] = []
    while excess > 0 and len(batch) < BATCH and (one := next(idle, None)):
        batch.append(one)
        excess -= one.size
    return batch


def _recent(one: Kept, now: float) -> bool:
    """Also of what was used in the near future: clocks differ, and are set back."""
    return abs(now - one.used) < GRACE_SECONDS
