# SPDX-License-Identifier: GPL-3.0-or-later
"""From where and when objects are looked at: from all sides, close up, or as the scene's own camera goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...protocol.errors import SceneError
from ..changes import simple_values
from ..studio import Framing, Picture, Vector, frame
from .choices import OWN_CAMERA
from .targets import Plan, find_object

LENS = 70.0
"""Of our own camera, in millimetres."""
_SLACK = 1.06
_GOLDEN = math.pi * (3 - math.sqrt(5))
_LOWEST = {"SPHERE": -1.0, "HEMISPHERE": -0.15}
"""Sine of the lowest camera's height above the horizon."""


@dataclass(frozen=True)
class Cameras:
    """count: of views. spread: SPHERE, HEMISPHERE or OWN_CAMERA. side: of each picture. samples: of each pixel. light:
    STUDIO, SCENE or WHOLE. moments: how many frames of the scene's range views are taken at; 1: its current one. turn:
    of the lattice of cameras about z, in radians. close_ups: of the views, the share that may go to what the others
    hardly see."""

    count: int = 36
    spread: str = "SPHERE"
    side: int = 384
    samples: int = 8
    light: str = "STUDIO"
    moments: int = 1
    turn: float = 0.0
    close_ups: float = 0.25


@dataclass(frozen=True)
class Shot:
    """One view's camera. matrix: 4x4, where it stands and how it is turned. near, far: what it clips. camera:
    session_uid of the artist's camera whose lens it has; 0: our own. lens: how that one is set at this frame."""

    frame: float
    matrix: Vector
    near: float
    far: float
    camera: int = 0
    lens: str = ""

    @property
    def eye(self) -> Vector:
        place: Vector = self.matrix[:3, 3]
        return place

    @property
    def facts(self) -> list[object]:
        """All that a picture from here depends on."""
        return [self.frame, np.round(self.matrix, 6).tolist(), round(self.near, 6), round(self.far, 6), self.lens]


@dataclass(frozen=True)
class Moment:
    """How things stand at a frame. places: 4x4 each, of the targets. shot: of the scene's own camera."""

    frame: float
    places: tuple[Vector, ...]
    shot: Shot | None


def moments(scene: bpy.types.Scene, plan: Plan, cameras: Cameras) -> list[Moment]:
    """The frames at which views are taken; the scene is at its own again afterwards. Raises SceneError."""
    here = scene.frame_current, scene.frame_subframe
    count = cameras.count if cameras.spread == OWN_CAMERA else cameras.moments
    frames = [sum(here)] if count == 1 else _evenly(scene, count)
    try:
        # everything stands where a render has it, at one frame, too
        return [_moment(scene, plan, when, cameras.spread == OWN_CAMERA) for when in frames]
    finally:
        scene.frame_set(here[0], subframe=here[1])


def _evenly(scene: bpy.types.Scene, count: int) -> list[float]:
    frames = np.linspace(scene.frame_start, scene.frame_end, count).round()
    return [float(when) for when in dict.fromkeys(frames)]


def _moment(scene: bpy.types.Scene, plan: Plan, when: float, filmed: bool) -> Moment:
    scene.frame_set(int(when), subframe=when % 1)
    places = tuple(np.array(find_object(target.uid).matrix_world) for target in plan.targets)
    return Moment(when, places, _own_shot(scene, when) if filmed else None)


def _own_shot(scene: bpy.types.Scene, when: float) -> Shot:
    camera = scene.camera
    if camera is None:
        raise SceneError(f"The scene {scene.name!r} has no camera.", "Add one, or look from all sides.")
    data = camera.data
    place, lens = np.array(camera.matrix_world.normalized()), repr(simple_values(data))
    return Shot(when, place, data.clip_start, data.clip_end, data.session_uid, lens)


def directions(count: int, spread: str, turn: float = 0.0) -> Vector:
    """countx3, of length 1: a Fibonacci lattice over the sphere or its upper part, turned about z by `turn` radians."""
    low = _LOWEST[spread]
    height = 1 - (1 - low) * (np.arange(count) + 0.5) / count
    angle, width = np.arange(count) * _GOLDEN + turn, np.sqrt(1 - height**2)
    return np.stack([width * np.cos(angle), width * np.sin(angle), height], 1)


def around(ways: Vector, whole: Sequence[tuple[Moment, Vector]]) -> list[Shot]:
    """A shot from each way (Nx3), at the moments in turn. whole: moments, and all points that are to be seen then."""
    turns = [whole[number % len(whole)] for number in range(len(ways))]
    return [aimed(way, points, moment.frame) for way, (moment, points) in zip(ways, turns, strict=True)]


def aimed(way: Vector, points: Vector, when: float) -> Shot:
    """A camera in this direction of the points (Nx3), as near as it sees them all."""
    middle = (points.min(0) + points.max(0)) / 2
    black = (0.0, 0.0, 0.0)
    framed = frame(Picture(way, 0.0, LENS, _SLACK, (0.0, 0.0), (), black, black), points - middle)
    return shot_of(framed, middle, when)


def shot_of(framed: Framing, middle: Vector, when: float) -> Shot:
    """middle: what the framing is about."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = framed.axes.T, framed.place + middle
    return Shot(when, matrix, framed.near, framed.far)
