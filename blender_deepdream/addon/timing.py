# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the frames of a run take, and what that tells of those to come."""

from __future__ import annotations

import time

from .pace import RENDER, REST, Pace
from .run import Stage, Stopwatch

_REST_STAGES: tuple[Stage, ...] = ("capture", "transfer", "composite")
_LIKE = 5
"""How many of the last frames tell what the next ones will take."""


class Timing:
    """seconds: where the run's time goes. pace: learns from each frame; dreams tell it of themselves."""

    def __init__(self, seconds: Stopwatch, pace: Pace) -> None:
        self._seconds = seconds
        self._pace = pace
        self._took: list[float] = []
        self._began, self._before = 0.0, Stopwatch()

    def begin(self) -> None:
        """A frame begins."""
        self._began, self._before = time.perf_counter(), Stopwatch(self._seconds)

    def finish(self, pixels: float, *, dreamed: bool) -> None:
        """It is finished. pixels: of the render. dreamed: whether it was, or was good already. Raises StorageError."""
        if dreamed:
            self._took.append(time.perf_counter() - self._began)
        spent = self._seconds.since(self._before)
        self._pace.learn(RENDER, spent.get("render", 0.0), pixels)
        if spent.get("composite"):
            self._pace.learn(REST, sum(spent.get(name, 0.0) for name in _REST_STAGES), pixels)
        self._pace.keep()

    def left(self, more: int) -> float | None:
        """What so many more frames will take, if they are dreamed like the last ones; None where none was."""
        last = self._took[-_LIKE:]
        return sum(last) / len(last) * more if last else None if more else 0.0
