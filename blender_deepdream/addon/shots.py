# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame needs to hold on to the dream of the frame before: its detail, and how things moved.

dream/<node>/detail/####.exr    what a frame hands on to the one after it
dream/<node>/seen/####.exr      what it saw, where motion must be guessed from pictures
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..protocol.follows import Follows
from .changes import file_hash
from .exr import read_contents
from .sight import Files, Sight


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


def camera_of(scene: bpy.types.Scene, frame: int) -> str:
    """The camera that a frame is seen by: that of the last marker with one, else the scene's."""
    bound = [marker for marker in scene.timeline_markers if marker.camera is not None]
    past = [marker for marker in bound if marker.frame <= frame]
    if bound:
        # before the first marker Blender uses that one's camera, too
        return str(max(past, key=lambda marker: marker.frame, default=min(bound, key=lambda m: m.frame)).camera.name)
    return str(scene.camera.name) if scene.camera else ""


def has_vectors(raw: Path, size: tuple[int, int] | None) -> bool:
    """Whether rendered passes know the motion of an image of this size, pixel for pixel."""
    if not raw.is_file():
        return False
    contents = read_contents(raw)
    known = any(found.name == "Vector" and set(found.channels) == set("XYZW") for found in contents.passes)
    return known and (contents.width, contents.height) == size


def follow(
    before: Before, sight: Sight, passes: tuple[Path, Path] | None, turn: tuple[float, ...] | None
) -> tuple[Follows, Files] | None:
    """What is asked of the dreamer besides, and the files; None where the shot begins anew.

    passes: the rendered passes of this frame and of the one before; None where they do not know its motion.
    """
    detail = detail_path(before.path)
    if before.record.get("size") != list(sight.size or ()) or not has_detail(before.path, before.record):
        return None
    files = {before.record["detail"]: detail}
    if passes is not None:
        now, then = (file_hash(path) for path in passes)
        files |= {now: passes[0], then: passes[1]}
        return Follows(before.record["detail"], before.record["source"], now, then, turn), files
    if not before.record["seen"]:
        return None
    source = before.record["source"]
    return Follows(before.record["detail"], source), files | {source: seen_path(before.path)}


def has_detail(dream: Path, record: Mapping[str, Any]) -> bool:
    """Whether all that a dream hands on lies beside it, undamaged."""
    whole = bool(record.get("detail")) and file_hash(detail_path(dream)) == record["detail"]
    return whole and (not record["seen"] or file_hash(seen_path(dream)) == record["source"])
