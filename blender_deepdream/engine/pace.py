# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a dream is and how long it will take, an octave weighing as much as its pixels."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..protocol.messages import Progress
from .octaves import Size


class Pace:
    """Counts the steps of one dream and foretells its end."""

    def __init__(self, sizes: Sequence[Size], steps: int) -> None:
        self._sizes = tuple(sizes)
        self._steps = steps
        self._taken = 0
        self._work_done = 0
        self._work = steps * sum(size.pixels for size in sizes)
        self._start = time.monotonic()

    def after_step(self, value: float) -> Progress:
        """Progress after one more step, which found the objective at `value`."""
        octave, step = divmod(self._taken, self._steps)
        self._taken += 1
        self._work_done += self._sizes[octave].pixels
        fraction = self._work_done / self._work
        elapsed = time.monotonic() - self._start
        return Progress(
            octave=octave + 1,
            octaves=len(self._sizes),
            step=step + 1,
            steps=self._steps,
            value=value,
            fraction=fraction,
            eta=elapsed * (1 - fraction) / fraction,
        )
