# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache: files whose names say what they are and whose records say what they were made from.

    raw/####.exr             rendered passes, 32-bit multilayer, with Depth and Vector
    raw/<scene>/####.exr     the same of another scene that the compositor uses
    dream/<node>/####.exr    a node's dreams; beside them what `shots` keeps
    final/####.json          what a finished frame was composited from

Beside each EXR lies a record ####.json: the key that it was made from, its size and its hash. A file is good while
its record agrees with it and with the key of today; anything else is made again. That is the cache, the undo and the
resume in one. Files appear whole or not at all: they are written under another name and moved.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..protocol.errors import StorageError
from .changes import file_hash

_MAX_JSON_BYTES = 4 << 20
_ABANDONED_SECONDS = 24 * 3600
PROCESS = uuid.uuid4().hex[:12]
"""Names this process's files on their way: on a farm, process numbers are not unique."""


@dataclass(frozen=True)
class Cache:
    root: Path

    def raw(self, frame: int, other_scene: str | None = None) -> Path:
        folder = self.root / "raw"
        return (folder / _own_name(other_scene) if other_scene else folder) / f"{frame:04d}.exr"

    def dreams(self, folder_name: str) -> Path:
        """A node's folder. It is found by the id at its name's end, so a renamed node keeps its dreams."""
        parent = self.root / "dream"
        existing = sorted(parent.glob(f"*-{folder_name.rpartition('-')[2]}"))
        return existing[0] if existing else parent / folder_name

    def final(self, frame: int) -> Path:
        return self.root / "final" / f"{frame:04d}.json"

    def scratch(self, name: str) -> Path:
        """An empty folder of this process's own, for files on their way."""
        folder = self.root / "tmp" / f"{PROCESS}-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        return make_folder(folder)

    def clear_scratch(self) -> None:
        """Remove this process's files on their way, and those that a process killed long ago has left."""
        for folder in (self.root / "tmp").glob("*"):
            with suppress(FileNotFoundError):  # another process on the same cache may clear its own
                if folder.name.startswith(PROCESS) or time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def carry_over(self, before: str, now: str) -> None:
        """Let rendered passes that were good for one .blend, by its hash, be good for what it was saved as."""
        for path in (self.root / "raw").rglob("*.json"):
            noted = read_json(path)
            if noted and isinstance(noted.get("key"), dict) and noted["key"].get("blend") == before:
                write_json(path, noted | {"key": noted["key"] | {"blend": now}})


def scene_cache(scene: bpy.types.Scene) -> Cache:
    """The folder that the scene names; else one beside the .blend; else, for a file never saved, a passing one."""
    if scene.deepdream.cache:
        return Cache(Path(bpy.path.abspath(scene.deepdream.cache)))
    if bpy.data.filepath:
        blend = Path(bpy.data.filepath)
        return Cache(blend.parent / f"{blend.stem}_deepdream" / bpy.path.clean_name(scene.name))
    return Cache(Path(bpy.app.tempdir) / "deepdream" / bpy.path.clean_name(scene.name))


def _own_name(scene: str) -> str:
    """A folder's name that no other scene has: `a/b` and `a_b` are two; so are `A` and `a` where case is ignored."""
    return f"{bpy.path.clean_name(scene)}-{hashlib.sha256(scene.encode()).hexdigest()[:8]}"


def make_folder(folder: Path) -> Path:
    """The folder, made if need be. Raises StorageError if it cannot be written, or has no place."""
    if not folder.is_absolute():  # // of a file without a name would be wherever Blender was started
        raise StorageError(
            f"The folder {folder} lies beside a .blend that was never saved.", "Save it, or choose a whole path."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{PROCESS}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be written: {error.strerror}.", "Choose another folder, or make room."
        ) from error
    return folder


def recorded(path: Path) -> dict[str, Any] | None:
    """The key that a file was made from; None if the file or its record is missing or damaged."""
    noted = _whole_record(path)
    return noted and noted["key"]


def good_hash(path: Path, key: Mapping[str, Any] | None = None) -> str:
    """A file's hash if it is undamaged and was made from this key, None for any; else empty."""
    noted = _whole_record(path)
    return str(noted["sha256"]) if noted and key in (None, noted["key"]) else ""


def _whole_record(path: Path) -> dict[str, Any] | None:
    try:
        noted = json.loads(_record_path(path).read_text("utf-8"))
        whole = path.stat().st_size == noted["size"] and file_hash(path) == noted["sha256"]
        return {"sha256": noted["sha256"], "key": dict(noted["key"])} if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(temporary: Path, path: Path, key: Mapping[str, Any]) -> str:
    """Move a finished file to its place, with a record of what it was made from. Returns its hash.

    Raises StorageError.
    """
    place(temporary, path)
    return record(path, key)


def place(temporary: Path, path: Path) -> None:
    """Move a finished file to its place. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # the old record goes first: a kill between the two leaves a file that is made again, never a wrong one
        _record_path(path).unlink(missing_ok=True)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "Make room on the disk.") from error


def record(path: Path, key: Mapping[str, Any]) -> str:
    """Note what a file in the cache was made from. Returns its hash. Raises StorageError."""
    name = file_hash(path)
    write_json(_record_path(path), {"key": dict(key), "size": path.stat().st_size, "sha256": name})
    return name


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a small JSON file, whole or not at all. Raises StorageError."""
    temporary = path.with_name(f".{path.name}.{PROCESS}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(data, sort_keys=True), "utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "Make room on the disk.") from error


def read_json(path: Path) -> dict[str, Any] | None:
    """What a small JSON file says; None for one that is missing, damaged, or larger than any of ours."""
    try:
        data = json.loads(path.read_text("utf-8")) if path.stat().st_size <= _MAX_JSON_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _record_path(path: Path) -> Path:
    return path.with_suffix(".json")
