# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a dream is and how long it will take, an octave weighing as much as its pixels."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import TypeVar

from ..protocol.messages import Progress
from .ascent import Part
from .octaves import Size
from .steps import retold

Answer = TypeVar("Answer")


class Pace:
    """Counts the steps of one dream and foretells its end."""

    def __init__(self, sizes: Sequence[Size], steps: int) -> None:
        self._sizes = tuple(sizes)
        self._steps = steps
        self._taken = 0
        self._work_done = self._work_before = 0
        self._work = steps * sum(size.pixels for size in sizes)
        self._start = time.monotonic()

    def during_step(self, step: Generator[Part, None, Answer]) -> Generator[Progress, None, Answer]:
        """Progress wherever a step yields before its end. Returns what the step returns."""
        return retold(step, self._progress)

    def after_step(self, value: float) -> Progress:
        """Progress after one more step, which found the objective at `value`."""
        progress = self._progress(Part(1.0, value))
        self._work_done += self._pixels
        self._taken += 1
        return progress

    def skip(self, steps: int) -> None:
        """Count steps that were taken before the clock began."""
        for _ in range(steps):
            self._work_done += self._pixels
            self._taken += 1
        self._work_before = self._work_done

    @property
    def _pixels(self) -> int:
        return self._sizes[self._taken // self._steps].pixels

    def _progress(self, part: Part) -> Progress:
        octave, step = divmod(self._taken, self._steps)
        fraction = (self._work_done + part.share * self._pixels) / self._work
        elapsed = time.monotonic() - self._start
        own = fraction - self._work_before / self._work
        return Progress(
            octave=octave + 1,
            octaves=len(self._sizes),
            step=step + 1,
            steps=self._steps,
            value=part.value,
            fraction=fraction,
            eta=elapsed * (1 - fraction) / own,
        )
