# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a node's dream stands at the current frame, in words: as much as can be told without looking at pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ..protocol.settings import KNOBS
from . import changes, node
from .cache import read_json, scene_cache


@dataclass(frozen=True)
class Status:
    text: str
    icon: str


NEEDS = Status("Needs dream", "RADIOBUT_OFF")
DREAMED = Status("Dreamed", "CHECKMARK")
CHANGED = Status("Out of date: settings have changed", "FILE_REFRESH")
MOVED = Status("Out of date: 3D has changed", "FILE_REFRESH")


def status(scene: bpy.types.Scene, group: bpy.types.NodeTree) -> Status:
    """Of this frame of a scene's node."""
    folder = scene_cache(scene).dreams(f"any-{group.deepdream.id[:8]}")
    path = node.frame_path(folder, scene.frame_current)
    key = _recorded(path)
    if key is None or not path.is_file():
        return NEEDS
    if key.get("asked") != asked(group.deepdream):
        return CHANGED
    return MOVED if changes.unsaved_3d() and key.get("unsaved") != changes.unsaved_state() else DREAMED


def asked(settings: bpy.types.PropertyGroup) -> str:
    """One hash over all that a node is set to, at the current frame."""
    regions = [
        [entry.layers, entry.objective, _name(entry.guide), _name(entry.mask), entry.socket]
        for entry in settings.regions
    ]
    words = [settings.source, settings.endless, _name(settings.guide), settings.fade, regions]
    knobs = [repr(getattr(settings, name)) for name in KNOBS]
    return hashlib.sha256(repr([knobs, words]).encode()).hexdigest()


def _name(image: bpy.types.Image | None) -> str:
    return image.name if image else ""


def _recorded(path: Path) -> dict[str, Any] | None:
    record = path.with_suffix(".json")
    try:
        return _read(record, record.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _read(record: Path, _written: int) -> dict[str, Any] | None:
    """Panels are drawn often; a record is read again when it was written again."""
    key = (read_json(record) or {}).get("key")
    return key if isinstance(key, dict) else None
