# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of a scene are rendered and dreamed, as the names and records in its cache say. Touches files only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cache import read_json

_OF_PASSES = ("blend", "unsaved", "resolution", "border", "layers")


@dataclass(frozen=True)
class Made:
    """size: bytes of a frame's files. of: what they were made from, as far as it tells whether they are still good."""

    size: int
    of: str


@dataclass(frozen=True)
class KeptFrames:
    """By frame: rendered passes, of all scenes together; and each node's dreams, by the beginning of its id."""

    passes: Mapping[int, Made] = field(default_factory=dict)
    dreams: Mapping[str, Mapping[int, Made]] = field(default_factory=dict)


def passes_mark(key: Mapping[str, Any]) -> str:
    """What tells passes apart, of the key that they were made from."""
    return json.dumps([key.get(name) for name in _OF_PASSES])


def kept_frames(root: Path) -> KeptFrames:
    """What lies in a cache. Raises OSError."""
    passes = {frame: Made(size, passes_mark(key)) for frame, size, key in _frames(root / "raw")}
    for folder in (root / "raw").glob("*/"):
        for frame, size, _ in _frames(folder):
            if main := passes.get(frame):
                passes[frame] = Made(main.size + size, main.of)
    dreams = {}
    for folder in (root / "dream").glob("*-*/"):
        found = {frame: Made(size, str(key.get("asked"))) for frame, size, key in _frames(folder)}
        dreams[folder.name.rpartition("-")[2]] = found
    return KeptFrames(passes, dreams)


def _frames(folder: Path) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Each frame with a record in a folder, its bytes with what it hands on, and what it was made from."""
    for record in folder.glob("[0-9]*.json"):
        key = (read_json(record) or {}).get("key")
        if not record.stem.isdecimal() or not isinstance(key, dict):
            continue
        name = f"{record.stem}.exr"
        parts = (path for path in (folder / name, folder / "detail" / name, folder / "seen" / name) if path.is_file())
        yield int(record.stem), sum(path.stat().st_size for path in parts), key
