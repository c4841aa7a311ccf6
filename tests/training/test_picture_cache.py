# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from blender_deepdream.engine.steps import finish
from blender_deepdream.protocol.errors import StorageError
from blender_deepdream.training import picture_cache
from blender_deepdream.training.cache_index import Line
from blender_deepdream.training.decoding import LeftOutError, Reason, decode
from blender_deepdream.training.picture_cache import PictureCache
from blender_deepdream.training.preparation import Preparation

from .small_pictures import save_picture

SIDE = 32

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")


class Folder:
    """A data set with its cache, and how many files were decoded in all."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures, self.caches = root / "pictures", root / "caches"
        self.decoded: list[Path] = []
        monkeypatch.setattr(picture_cache, "decode_all", self._decode_all)

    def _decode_all(self, paths, side):
        for path in paths:
            self.decoded.append(path)
            try:
                yield path, decode(path, side)
            except LeftOutError as error:
                yield path, error

    def add(self, *seeds: int) -> list[Path]:
        return [save_picture(self.pictures / f"{seed:03}.png", seed) for seed in seeds]

    def open(self) -> PictureCache:
        return PictureCache(self.pictures, SIDE, self.caches)

    def fill(self) -> tuple[dict[Path, Line], int]:
        """The lines, and how many files were decoded for them."""
        before = len(self.decoded)
        lines = finish(self.open().fill(sorted(self.pictures.glob("*"))))
        return lines, len(self.decoded) - before

    def check(self, lines: dict[Path, Line]) -> None:
        """That the pixels are those of the files."""
        kept = [(path, line) for path, line in lines.items() if line.row >= 0]
        found = self.open().pixels([line for _, line in kept])
        for (path, _), pixels in zip(kept, found, strict=True):
            assert np.array_equal(pixels, decode(path, SIDE).pixels)

    @property
    def pixels(self) -> Path:
        (path,) = self.caches.glob("*/pixels")
        return path

    @property
    def index(self) -> Path:
        return self.pixels.with_name("pictures.jsonl")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path, monkeypatch)


def test_pictures_are_decoded_once(folder: Folder):
    folder.add(*range(5))
    lines, decoded = folder.fill()
    assert decoded == 5
    folder.check(lines)
    again, decoded = folder.fill()
    assert decoded == 0
    assert again == lines


def test_progress_comes_with_each_picture(folder: Folder):
    paths = folder.add(*range(4))
    told = list(folder.open().fill(paths))
    assert told == [Preparation("decoding", done, 4) for done in range(5)]


def test_what_changed_is_seen(folder: Folder):
    paths = folder.add(*range(4))
    folder.fill()
    save_picture(paths[2], 99)
    paths[0].unlink()
    folder.add(7)
    lines, decoded = folder.fill()
    assert decoded == 2
    assert len(lines) == 4
    folder.check(lines)


def test_what_is_no_picture_is_remembered_too(folder: Folder):
    folder.add(0, 1)
    (folder.pictures / "words.txt").write_text("no image")
    lines, _ = folder.fill()
    assert lines[folder.pictures / "words.txt"].reason is Reason.NO_IMAGE
    assert folder.fill() == (lines, 0)


def test_a_file_that_vanishes_is_told_and_looked_for_again(folder: Folder):
    paths = folder.add(0, 1)
    lines = finish(folder.open().fill([*paths, folder.pictures / "gone.png"]))
    assert lines[folder.pictures / "gone.png"].reason is Reason.GONE
    save_picture(folder.pictures / "gone.png", 5)
    lines, decoded = folder.fill()
    assert decoded == 1
    folder.check(lines)


def test_a_file_that_vanishes_after_decoding_does_not_matter(folder: Folder):
    paths = folder.add(0, 1)
    lines, _ = folder.fill()
    expected = decode(paths[0], SIDE).pixels
    paths[0].unlink()
    assert np.array_equal(folder.open().pixels([lines[paths[0]]])[0], expected)


def test_a_fill_that_was_broken_off_is_gone_on_with(folder: Folder):
    paths = folder.add(*range(6))
    filling = folder.open().fill(paths)
    for _ in range(4):
        next(filling)
    filling.close()
    lines, decoded = folder.fill()
    assert decoded == 3
    folder.check(lines)


def test_a_kill_in_mid_line_costs_one_picture(folder: Folder):
    folder.add(*range(6))
    folder.fill()
    with folder.index.open("r+b") as file:
        file.truncate(folder.index.stat().st_size - 20)
    with folder.pixels.open("ab") as file:
        file.write(b"half a pict")
    lines, decoded = folder.fill()
    assert decoded == 1
    folder.check(lines)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "index"])
def test_a_damaged_cache_is_mended(folder: Folder, damage: str):
    folder.add(*range(6))
    before, _ = folder.fill()
    if damage == "flip":
        with folder.pixels.open("r+b") as file:
            file.seek(2 * 4 * SIDE**2 + 5)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
    elif damage == "cut":
        with folder.pixels.open("r+b") as file:
            file.truncate(3 * 4 * SIDE**2 + 100)
    elif damage == "gone":
        folder.pixels.unlink()
    else:
        folder.index.write_bytes(os.urandom(3000))
    lines, decoded = folder.fill()
    assert decoded == {"flip": 1, "cut": 3, "gone": 6, "index": 6}[damage]
    assert lines.keys() == before.keys()
    folder.check(lines)


def test_the_same_bytes_are_kept_once(folder: Folder):
    folder.add(0, 1)
    (folder.pictures / "copy.png").write_bytes((folder.pictures / "000.png").read_bytes())
    lines, _ = folder.fill()
    assert folder.pixels.stat().st_size == 2 * 4 * SIDE**2
    assert lines[folder.pictures / "copy.png"].row == lines[folder.pictures / "000.png"].row
    folder.check(lines)


def test_a_cache_of_pictures_that_are_gone_does_not_grow_for_ever(folder: Folder):
    for number in range(12):
        for path in folder.add(*range(20)):
            save_picture(path, 1000 * number + int(path.stem))
        lines, _ = folder.fill()
    folder.check(lines)
    assert folder.pixels.stat().st_size <= 4 * SIDE**2 * (2 * 20 + 100 + 20)


def test_a_disk_without_room_is_said_before_anything_is_decoded(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    folder.add(*range(3))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(StorageError, match="has 0 MiB"):
        folder.fill()
    assert folder.decoded == []


@linux_only
def test_a_disk_that_fills_up_is_said_and_nothing_is_lost(folder: Folder):
    import resource

    folder.add(*range(3))
    folder.fill()
    folder.add(*range(3, 9))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5 * 4 * SIDE**2 + 100, limits[1]))
        with pytest.raises(StorageError, match="File too large"):
            folder.fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    lines, decoded = folder.fill()
    assert decoded == 4
    folder.check(lines)


def test_a_cache_that_was_let_go_is_said_to_be(folder: Folder):
    paths = folder.add(0)
    lines, _ = folder.fill()
    folder.pixels.unlink()
    with pytest.raises(StorageError, match="cannot be read any more"):
        folder.open().pixels([lines[paths[0]]])


def test_pixels_of_another_picture_are_refused(folder: Folder):
    paths = folder.add(0, 1)
    lines, _ = folder.fill()
    row = folder.pixels.read_bytes()[: 4 * SIDE**2]
    folder.pixels.write_bytes(row + row)
    first, second = sorted(paths, key=lambda path: lines[path].row)
    assert np.array_equal(folder.open().pixels([lines[first]])[0], decode(first, SIDE).pixels)
    with pytest.raises(StorageError, match="cannot be read any more"):
        folder.open().pixels([lines[second]])


def test_the_longest_unused_caches_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(picture_cache, "MAX_BYTES", 3 * 4 * SIDE**2)
    folders = []
    for number in range(4):
        folder = Folder(tmp_path / str(number), monkeypatch)
        folder.caches = tmp_path / "caches"
        folder.add(0, 1)
        folder.fill()
        folders.append(folder.open().folder)
        long_ago = 1_000_000_000 + number
        os.utime(folders[-1] / "pictures.jsonl", (long_ago, long_ago))
    assert [path.exists() for path in folders] == [False, False, True, True]
