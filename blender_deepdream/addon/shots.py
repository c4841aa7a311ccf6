# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame needs to hold on to the dream of the frame before: its detail, and how things moved.

dream/<node>/detail/####.exr    what a frame hands on to the one after it
dream/<node>/seen/####.exr      what it saw, where motion must be guessed from pictures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from ..protocol.follows import Follows
from . import cache as files
from . import camera
from .cache import Cache
from .changes import file_hash
from .exr import read_contents
from .node import DreamNode
from .sight import Sight, size_of
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
    """How the frames of a run hang together. scene: looked up anew each time, for an undo replaces it."""

    def __init__(self, scene: Callable[[], bpy.types.Scene], cache: Cache) -> None:
        self._scene = scene
        self._cache = cache
        self._views: dict[int, Any] = {}
        self._passes: dict[int, str] = {}

    def see(self, frame: int, passes: str) -> None:
        """Note what the current frame is seen by, and the hash of its rendered passes."""
        self._views[frame] = camera.view(self._scene())
        self._passes[frame] = passes

    def together(self, earlier: int, frame: int) -> bool:
        """Whether no cut lies between two frames."""
        return camera_of(self._scene(), earlier) == camera_of(self._scene(), frame)

    def knows_motion(self, frame: int, dream: DreamNode, sight: Sight) -> bool:
        """Whether a frame's rendered passes know how what the node sees has moved, pixel for pixel."""
        scene = self._scene()
        if dream.rendered != scene.name or scene.frame_step != 1 or not self._passes_of(frame):
            return False
        contents = read_contents(self._cache.raw(frame))
        known = any(found.name == "Vector" and set(found.channels) == set("XYZW") for found in contents.passes)
        return known and (contents.width, contents.height) == sight.size

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
        if all(self.knows_motion(number, dream, sight) for number in (frame, before.frame)):
            now, then = (self._passes_of(number) for number in (frame, before.frame))
            known |= {now: self._cache.raw(frame), then: self._cache.raw(before.frame)}
            follows = Follows(detail, source, now, then, self._turn(before.frame, frame))
        elif before.record["seen"]:
            known[source] = seen_path(before.path)
            follows = Follows(detail, source)
        else:
            return sight
        return replace(sight, follows=follows, files=sight.files | known)

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
