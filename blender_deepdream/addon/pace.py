# SPDX-License-Identifier: GPL-3.0-or-later
"""How quickly work is done here: what the last frames took tells what the next ones will.

pace.json    in a scene's cache: by what is done, the seconds that it took for a pixel; for dreams, for a pixel in
             each step
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from ..protocol.settings import DreamSettings
from .cache import read_json, write_json

RENDER, REST = "render", "rest"
"""3D; and all that Blender does beside it for a frame: capturing, sending, compositing."""
_MOST = 64


class Pace:
    """rates: seconds, by name."""

    def __init__(self, root: Path) -> None:
        """root: the cache's folder."""
        self._path = pace_path(root)
        self.rates = _checked(read_json(self._path) or {})

    def learn(self, name: str, seconds: float, amount: float) -> None:
        """Note what so many pixels, or pixels in steps, took; what took no time was not done."""
        if seconds > 0 and amount > 0:
            self.rates.pop(name, None)
            self.rates[name] = seconds / amount

    def keep(self) -> None:
        """Raises StorageError."""
        self.rates = dict(list(self.rates.items())[-_MOST:])
        write_json(self._path, self.rates)

    def dream_rate(self, where: str, settings: DreamSettings) -> float | None:
        """Of dreams of these layers; else of the slowest of this brain; None where nothing is known.

        where: address of the server that dreams, empty for our own.
        """
        name = dream_name(where, settings)
        alike = [rate for other, rate in self.rates.items() if _brain_of(other) == _brain_of(name)]
        return self.rates.get(name, max(alike, default=None))


def pace_path(root: Path) -> Path:
    return root / "pace.json"


def dream_name(where: str, settings: DreamSettings) -> str:
    layers = ",".join(sorted({name for name, _ in settings.layers}))
    return "\n".join(("dream", where, settings.brain, settings.precision, layers))


def _brain_of(name: str) -> list[str]:
    return name.split("\n")[:4]


def dream_work(settings: DreamSettings, pixels: float) -> float:
    """Pixels times steps, over all octaves, of an image with so many pixels."""
    shares = (settings.octave_scale ** (-2 * octave) for octave in range(settings.octaves))
    return pixels * settings.steps * sum(shares)


def _checked(data: Mapping[str, object]) -> dict[str, float]:
    rates = {name: value for name, value in data.items() if isinstance(value, float) and math.isfinite(value)}
    return {name: rate for name, rate in list(rates.items())[:_MOST] if rate > 0}
