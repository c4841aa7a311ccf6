# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the camera stands and what light falls in each picture of a data set: chosen by seed, in numbers alone.

The subject stands at the origin, z is up, lengths are counted in its own radius: nothing here knows Blender or how
large the subject is. Each picture draws from a generator of its own, so that more pictures or classes change none of
the others.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Color = tuple[float, float, float]
"""Scene-linear red, green and blue."""

SENSOR = 36.0
"""Width of the film in millimetres, as Blender's cameras have it; pictures are square."""

_LENSES = (35.0, 100.0)
_SLACK = (1.05, 1.6)
"""How much larger than the subject the frame is."""
_TIGHT = 1.15
_FRONT = -math.pi / 2
"""Where the front view's camera stands, as an angle about z."""
_ROLL = math.radians(8)
_KEY, _FILL, _AMBIENT = (2.5, 6.0), (0.2, 0.7), (0.15, 0.7)
_WARM, _COOL = np.array((1.0, 0.72, 0.48)), np.array((0.62, 0.8, 1.0))


@dataclass(frozen=True)
class Cameras:
    """Where cameras stand. lowest, highest: angles above the horizon in radians.

    even: on one circle in `steps` even steps, at the middle of these heights; else anywhere between them.
    """

    lowest: float
    highest: float
    even: bool
    steps: int


@dataclass(frozen=True)
class Light:
    """kind: a distant sun or a square near by. direction: from the subject to the light, of length 1.

    strength: irradiance at the subject in W/m2. size: of a sun its angle in radians, else a side's length in the
    subject's radii.
    """

    kind: Literal["SUN", "AREA"]
    direction: Vector
    strength: float
    size: float
    color: Color


@dataclass(frozen=True)
class Picture:
    """One photograph. direction: from the subject to the camera, of length 1. roll: radians. lens: millimetres.

    slack: how much larger than the subject the frame is. shift: where in the room that this leaves the subject stands,
    -1 to 1 in each direction. ambient: radiance from everywhere. background: what the camera sees behind the subject.
    """

    direction: Vector
    roll: float
    lens: float
    slack: float
    shift: tuple[float, float]
    lights: tuple[Light, ...]
    ambient: Color
    background: Color


@dataclass(frozen=True)
class Framing:
    """A camera that sees all of a subject: its place, its axes (rows: right, up, back), what it clips, its shift."""

    place: Vector
    axes: Vector
    near: float
    far: float
    shift: tuple[float, float]


def take_picture(seed: int, class_name: str, number: int, cameras: Cameras) -> Picture:
    """The picture of this number, from 0, of a class."""
    random = _generator(seed, class_name, number)
    if cameras.even:
        turn, height = _FRONT + 2 * math.pi * number / cameras.steps, (cameras.lowest + cameras.highest) / 2
        stance = (_toward(turn, height), 0.0, 50.0, _TIGHT, (0.0, 0.0))
    else:
        stance = _anywhere(random, cameras)
    turn = math.atan2(stance[0][1], stance[0][0])
    return Picture(*stance, _lights(random, turn), _ambient(random), _background(random))


def frame(picture: Picture, points: Vector) -> Framing:
    """Let the camera come as near as it sees all points (Nx3, about the origin), with the picture's slack."""
    axes = _axes(picture.direction, picture.roll)
    seen = points @ axes.T
    middle = (seen.min(0) + seen.max(0)) / 2
    middle[2] = 0
    reach = SENSOR / 2 / picture.lens / picture.slack
    depth = seen[:, 2]
    distance = float((depth + np.abs(seen[:, :2] - middle[:2]).max(1) / reach).max())
    front = distance - float(depth.max())
    size = max(float(np.ptp(seen, axis=0).max()), 1e-6)
    room = (1 - 1 / picture.slack) / 2
    return Framing(
        place=(middle + np.array((0, 0, distance))) @ axes,
        axes=axes,
        near=max(front / 2, size * 1e-3),
        far=2 * (distance - float(depth.min())) + size,
        shift=(picture.shift[0] * room, picture.shift[1] * room),
    )


def _generator(seed: int, class_name: str, number: int) -> np.random.Generator:
    name = hashlib.sha256(class_name.encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng([seed, number, *name])


def _toward(turn: float, height: float) -> Vector:
    return np.array((math.cos(height) * math.cos(turn), math.cos(height) * math.sin(turn), math.sin(height)))


def _anywhere(random: np.random.Generator, cameras: Cameras) -> tuple[Vector, float, float, float, tuple[float, float]]:
    """Direction, roll, lens, slack and shift. Directions are even over the part of the sphere that is allowed."""
    low, high = (math.sin(height) for height in (cameras.lowest, cameras.highest))
    direction = _toward(random.uniform(-math.pi, math.pi), math.asin(random.uniform(low, high)))
    lens = math.exp(random.uniform(*map(math.log, _LENSES)))
    shift = (random.uniform(-1, 1), random.uniform(-1, 1))
    return direction, random.uniform(-_ROLL, _ROLL), lens, random.uniform(*_SLACK), shift


def _lights(random: np.random.Generator, turn: float) -> tuple[Light, ...]:
    """A key light from the camera's side, not far below the horizon, and up to two weaker ones from anywhere.

    turn: where the camera stands, as an angle about z.
    """
    side, height = random.uniform(-0.6, 0.6) * math.pi, math.asin(random.uniform(-0.1, 0.95))
    key = _light(random, _toward(turn + side, height), random.uniform(*_KEY))
    fills = [
        _light(
            random, _toward(random.uniform(-math.pi, math.pi), math.asin(random.uniform(-1, 1))), key.strength * share
        )
        for share in random.uniform(*_FILL, size=random.integers(0, 3))
    ]
    return (key, *fills)


def _light(random: np.random.Generator, direction: Vector, strength: float) -> Light:
    near = random.random() < 0.5
    size = random.uniform(0.5, 4.0) if near else random.uniform(0.01, 0.8)
    return Light("AREA" if near else "SUN", direction, float(strength), size, _tint(random))


def _ambient(random: np.random.Generator) -> Color:
    red, green, blue = np.array(_tint(random)) * random.uniform(*_AMBIENT)
    return float(red), float(green), float(blue)


def _tint(random: np.random.Generator) -> Color:
    """From warm to cool, mostly near white."""
    lean = random.triangular(-1, 0, 1)
    red, green, blue = 1 + abs(lean) * ((_WARM if lean < 0 else _COOL) - 1)
    return float(red), float(green), float(blue)


def _background(random: np.random.Generator) -> Color:
    """Any colour, even over what a display shows."""
    red, green, blue = random.random(3) ** 2.2
    return float(red), float(green), float(blue)


def _axes(back: Vector, roll: float) -> Vector:
    """Right, up and back of a camera that looks along -back, level but for its roll."""
    right = np.cross((0, 0, 1), back)
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-6 else np.array((1.0, 0, 0))
    up = np.cross(back, right)
    return np.stack([math.cos(roll) * right + math.sin(roll) * up, math.cos(roll) * up - math.sin(roll) * right, back])
