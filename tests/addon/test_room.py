# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a cache is, and what goes when it is cleared."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import cache as files
from blender_deepdream.addon import room, status
from blender_deepdream.addon.room import Room
from blender_deepdream.protocol.errors import StorageError

from .conftest import only_node

OURS = (
    "raw/0001.exr",
    "raw/Other/0001.exr",
    "dream/DeepDream-1234abcd/0001.exr",
    "surface/0123456789abcdef/even8-256-000-facts.exr",
)


def put(path: Path, content: bytes = b"pixels") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lying(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A cache with one of everything that dreams leave."""
    root = tmp_path / "cache"
    for name in OURS:
        files.keep(put(tmp_path / "new"), root / name, {"frame": 1})
    put(root / "dream/DeepDream-1234abcd/detail/0001.exr")
    put(root / "dream/DeepDream-1234abcd/seen/0001.exr")
    files.write_json(root / "final" / "0001.json", {"made_from": [], "output": "0001.png", "sha256": "00"})
    return root


def test_all_that_can_be_made_again_is_counted_and_goes(kept: Path) -> None:
    sizes = [path.stat().st_size for path in kept.rglob("*") if path.is_file()]
    found = room.count(kept)
    assert found == Room(len(sizes), sum(sizes)) == Room(11, found.size)
    assert room.clear(kept) == found
    assert lying(kept) == []
    assert room.count(kept) == room.clear(kept) == Room()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in (
        "raw/0001.exr",
        "raw/0002.json",
        "raw/Other/0001.exr",
        "dream/DeepDream-1234abcd/notes.txt",
        "dream/DeepDream-1234abcd/detail/mine.exr",
        "dream/holiday/detail/0001.exr",
        "final/0001.exr",
        "final/shots.json",
        "surface/dreamed.png",
        "surface/photos/0001.exr",
        "training/mine/report.json",
        "shot.blend",
    ):
        put(tmp_path / name, b'{"key": {}}')
    before = lying(tmp_path)
    assert room.count(tmp_path) == room.clear(tmp_path) == Room()
    assert lying(tmp_path) == before


def test_links_are_not_followed(kept: Path, tmp_path: Path) -> None:
    root = tmp_path / "linked"
    (root / "dream").mkdir(parents=True)
    (root / "raw").symlink_to(kept / "raw", target_is_directory=True)
    node = "DeepDream-1234abcd"
    (root / "dream" / node).symlink_to(kept / "dream" / node, target_is_directory=True)
    for suffix in (".exr", ".json"):
        (root / "final").mkdir(exist_ok=True)
        (root / "final" / f"0001{suffix}").symlink_to(kept / "raw" / f"0001{suffix}")
    before = lying(kept), lying(root)
    assert room.clear(root) == Room()
    assert (lying(kept), lying(root)) == before


def test_clearing_that_was_cut_short_goes_on(kept: Path) -> None:
    (kept / "raw" / "0001.exr").unlink()
    assert room.clear(kept).files == 10
    assert lying(kept) == []


@pytest.mark.parametrize("record", [b"", b"[]", b"{", b'{"key": 1, "size": 2}', b"\xff"])
def test_a_damaged_record_says_nothing(tmp_path: Path, record: bytes) -> None:
    put(tmp_path / "raw" / "0001.json", record)
    put(tmp_path / "raw" / "0001.exr")
    assert room.clear(tmp_path) == Room()


@pytest.mark.parametrize("work", ["unlink", "scandir"])
def test_what_cannot_be_deleted_or_read_is_told(kept: Path, monkeypatch: pytest.MonkeyPatch, work: str) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(*((Path, "unlink", refuse) if work == "unlink" else (os, "scandir", refuse)))
    with pytest.raises(StorageError, match="Permission denied"):
        room.clear(kept)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Room(), "Empty"),
        (Room(1, 12), "1 file, 12 bytes"),
        (Room(2, 34_000), "2 files, 34.0 kB"),
        (Room(900, 3_400_000_000), "900 files, 3.4 GB"),
    ],
)
def test_room_in_words(found: Room, text: str) -> None:
    assert found.text == text


def test_clear_cache_makes_room_and_the_node_needs_a_dream(dreaming: bpy.types.Scene, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    dreaming.deepdream.cache = str(cache)
    put(cache / "dream" / "notes.txt")
    bpy.ops.deepdream.dream_frame()
    group = only_node(dreaming).group
    assert status.status(dreaming, group) == status.DREAMED
    assert bpy.ops.deepdream.clear_cache() == {"FINISHED"}
    assert not list(cache.rglob("*.exr"))
    assert (cache / "dream" / "notes.txt").is_file()
    assert status.status(dreaming, group) == status.NEEDS
    assert bpy.ops.deepdream.dream_frame() == {"FINISHED"}
    assert status.status(dreaming, group) == status.DREAMED


@pytest.mark.parametrize("work", ["dream", "surface"])
def test_clear_cache_waits_for_dreams(dreaming: bpy.types.Scene, work: str) -> None:
    state = bpy.context.window_manager.deepdream
    running = state if work == "dream" else state.surface
    running.running = True
    try:
        with pytest.raises(RuntimeError, match="A dream is running"):
            bpy.ops.deepdream.clear_cache()
    finally:
        running.running = False
