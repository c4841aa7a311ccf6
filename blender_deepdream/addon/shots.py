# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame needs to hold on to the dream of the frame before: its detail, and how things moved.

dream/<node>/detail/####.exr    what a frame hands on to the one after it
dream/<node>/seen/####.exr      what it saw, where motion must be guessed from pictures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from ..protocol.follows import Follows
from ..protocol.frames import FARTHEST, frame_after, frame_before
from . import cache as files
from . import camera
from .cache import Cache
from .changes import file_hash
from .exr import read_contents
from .node import DreamNode
from .sight import Sight, size_of
from .strokes import draws_strokes
from .timeline import camera_of, go_to


@dataclass(frozen=True)
class Before:
    """The good dream of the frame before. record: what it was made from."""

    frame: int
    path: Path
    record: Mapping[str, Any]


def detail_path(dream: Path) -> Path:
    return dream.parent / "detail" / dream.name


def seen_path(dream: Path) -> Path:
    return dream.parent / "seen" / dream.name


def has_detail(dream: Path, record: Mapping[str, Any]) -> bool:
    """Whether all that a dream hands on lies beside it, undamaged."""
    whole = bool(record.get("detail")) and file_hash(detail_path(dream)) == record["detail"]
    return whole and (not record["seen"] or file_hash(seen_path(dream)) == record["source"])


class Shots:
    """How the frames of a run hang together.

    scene: looked up anew each time, for an undo replaces it. frames: in rising order. render: renders a frame's passes
    again where they are lost, and returns their hash.
    """

    def __init__(
        self,
        scene: Callable[[], bpy.types.Scene],
        cache: Cache,
        frames: Sequence[int],
        render: Callable[[int], str],
    ) -> None:
        self._scene = scene
        self._cache = cache
        self._frames = frames
        self._render = render
        self._views: dict[int, Any] = {}
        self._passes: dict[int, str] = {}

    def see(self, frame: int, passes: str) -> None:
        """Note what the current frame is seen by, and the hash of its rendered passes."""
        self._views[frame] = camera.view(self._scene())
        self._passes[frame] = passes

    def before(self, frame: int) -> int | None:
        """The frame that comes before one in the run, or would; None where the scene has not begun."""
        scene = self._scene()
        earlier = frame_before(frame, self._frames, scene.frame_step)
        return None if earlier < min(scene.frame_start, self._frames[0]) else earlier

    def together(self, earlier: int, frame: int) -> bool:
        """Whether two frames are of one film, without a cut between them."""
        scene = self._scene()
        return frame - earlier <= FARTHEST and camera_of(scene, earlier) == camera_of(scene, frame)

    def run_in(self, frame: int, count: int) -> list[int]:
        """The frames of the same shot that come before one, so many of them at most, in rising order."""
        step = frame - frame_before(frame, self._frames, self._scene().frame_step)
        earlier = [frame - step * number for number in range(count, 0, -1)]
        first = self._scene().frame_start
        return [number for number in earlier if number >= first and self._same_camera(number, frame)]

    def _same_camera(self, one: int, other: int) -> bool:
        return all(camera_of(self._scene(), frame) == camera_of(self._scene(), other) for frame in range(one, other))

    def must_be_seen(self, frame: int, dream: DreamNode, sight: Sight) -> bool:
        """Whether the frame after this one has to guess how things have moved, from what both see."""
        after = frame_after(frame, self._frames, self._scene().frame_step)
        return after != frame + 1 or not self._knows_motion(frame, dream, sight)

    def fed(self, sight: Sight, before: Before) -> Sight:
        """What a node sees that feeds on the dream of the frame before; unchanged where that has another size."""
        if size_of(before.path) != sight.size:
            return sight
        name = file_hash(before.path)
        return replace(sight, before=name, files=sight.files | {name: before.path})

    def followed(self, sight: Sight, frame: int, dream: DreamNode, before: Before) -> Sight:
        """What a node sees that holds on to the frame before; unchanged where the shot begins anew."""
        detail, source = before.record.get("detail"), before.record["source"]
        if before.record.get("size") != list(sight.size or ()) or not has_detail(before.path, before.record):
            return sight
        known = {detail: detail_path(before.path)}
        if before.frame == frame - 1 and self._both_know_motion(frame, dream, sight, before):
            now, then = (self._passes_of(number) for number in (frame, before.frame))
            known |= {now: self._cache.raw(frame), then: self._cache.raw(before.frame)}
            follows = Follows(detail, source, now, then, self._turn(before.frame, frame))
        elif before.record["seen"]:
            known[source] = seen_path(before.path)
            follows = Follows(detail, source)
        else:
            return sight
        return replace(sight, follows=follows, files=sight.files | known)

    def _both_know_motion(self, frame: int, dream: DreamNode, sight: Sight, before: Before) -> bool:
        if not self._knows_motion(frame, dream, sight):
            return False
        if not self._passes_of(before.frame) and not before.record["seen"]:
            self._passes[before.frame] = self._render(before.frame)
        return self._knows_motion(before.frame, dream, sight)

    def _knows_motion(self, frame: int, dream: DreamNode, sight: Sight) -> bool:
        """Whether a frame's rendered passes know how what the node sees has moved, pixel for pixel."""
        scene = self._scene()
        if dream.rendered != scene.name or draws_strokes(scene) or not self._passes_of(frame):
            return False
        contents = read_contents(self._cache.raw(frame))
        known = any(found.name == "Vector" and set(found.channels) == set("XYZW") for found in contents.passes)
        return known and (contents.width, contents.height) == sight.size

    def _passes_of(self, frame: int) -> str:
        """The hash of a frame's rendered passes; empty where they are missing or damaged."""
        if frame not in self._passes:
            self._passes[frame] = files.good_hash(self._cache.raw(frame))
        return self._passes[frame]

    def _turn(self, earlier: int, frame: int) -> tuple[float, ...] | None:
        """How the background has turned since."""
        scene = self._scene()
        if earlier not in self._views:
            go_to(scene, earlier)
            self._views[earlier] = camera.view(scene)
            go_to(scene, frame)
        return camera.turn(self._views[frame], self._views[earlier])
