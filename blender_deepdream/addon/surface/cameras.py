# SPDX-License-Identifier: GPL-3.0-or-later
"""From where an object is looked at: evenly from all sides, or from the upper half only."""

from __future__ import annotations

import math

import numpy as np

from ..studio import Framing, Picture, Vector, frame

_LENS, _SLACK = 70.0, 1.06
_GOLDEN = math.pi * (3 - math.sqrt(5))
_LOWEST = {"SPHERE": -1.0, "HEMISPHERE": -0.15}
"""Sine of the lowest camera's height above the horizon."""


def directions(count: int, spread: str, turn: float = 0.0) -> Vector:
    """countx3, of length 1: a Fibonacci lattice over the sphere or its upper part, turned about z by `turn` radians."""
    low = _LOWEST[spread]
    height = 1 - (1 - low) * (np.arange(count) + 0.5) / count
    angle, width = np.arange(count) * _GOLDEN + turn, np.sqrt(1 - height**2)
    return np.stack([width * np.cos(angle), width * np.sin(angle), height], 1)


def framing(direction: Vector, points: Vector) -> Framing:
    """A camera in this direction, as near as it sees all points (Nx3, about the origin)."""
    black = (0.0, 0.0, 0.0)
    return frame(Picture(direction, 0.0, _LENS, _SLACK, (0.0, 0.0), (), black, black), points)


LENS = _LENS
