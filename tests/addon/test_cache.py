# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from blender_deepdream.addon import cache as files
from blender_deepdream.addon.cache import Cache
from blender_deepdream.protocol.errors import StorageError


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    (tmp_path / "new").write_bytes(b"pixels")
    files.keep(tmp_path / "new", tmp_path / "raw" / "0001.exr", {"frame": 1})
    return tmp_path / "raw" / "0001.exr"


def test_a_kept_file_remembers_what_it_was_made_from(kept: Path) -> None:
    assert kept.read_bytes() == b"pixels"
    assert files.recorded(kept) == {"frame": 1}


@pytest.mark.parametrize("damage", [b"pixel", b"pixelz", b""])
def test_a_damaged_file_is_not_good(kept: Path, damage: bytes) -> None:
    kept.write_bytes(damage)
    assert files.recorded(kept) is None


@pytest.mark.parametrize("record", ["", "{", "[]", '{"size": 6}', '{"size": 6, "sha256": 3, "key": 1}'])
def test_a_damaged_record_is_not_good(kept: Path, record: str) -> None:
    kept.with_suffix(".json").write_text(record)
    assert files.recorded(kept) is None


def test_a_missing_file_is_not_good(kept: Path) -> None:
    kept.unlink()
    assert files.recorded(kept) is None


def test_a_renamed_node_keeps_its_dreams(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.dreams("Old-1234abcd").mkdir(parents=True)
    assert cache.dreams("New-1234abcd").name == "Old-1234abcd"
    assert cache.dreams("New-ffffffff").name == "New-ffffffff"


def test_scenes_whose_names_are_alike_keep_apart(tmp_path: Path) -> None:
    cache, names = Cache(tmp_path), ("a/b", "a_b", "A_b", "..", None)
    places = [str(cache.raw(1, name)).casefold() for name in names]
    assert len({*places}) == 5
    assert all(cache.raw(1, name).resolve().is_relative_to(tmp_path / "raw") for name in names)


def test_scratch_is_empty_and_goes_away(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (cache.scratch("raw") / "left").touch()
    assert not list(cache.scratch("raw").iterdir())
    abandoned, others = tmp_path / "tmp" / "1-raw", tmp_path / "tmp" / "2-raw"
    abandoned.mkdir()
    others.mkdir()
    os.utime(abandoned, (0, time.time() - 2 * 24 * 3600))
    cache.clear_scratch()
    assert [folder.name for folder in (tmp_path / "tmp").iterdir()] == ["2-raw"]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        files.make_folder(tmp_path / "file" / "folder")


def test_a_record_that_stays_where_it_is_is_told(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"pixels")
    (tmp_path / "raw" / "0001.json").mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be written"):
        files.keep(tmp_path / "new", tmp_path / "raw" / "0001.exr", {"frame": 1})
    assert not (tmp_path / "raw" / "0001.exr").exists()


@pytest.mark.parametrize(("blanks", "good"), [(9, True), (4 << 20, False)])
def test_endless_json_is_not_read(tmp_path: Path, blanks: int, good: bool) -> None:
    (tmp_path / "pace.json").write_text("{" + " " * blanks + "}")
    assert (files.read_json(tmp_path / "pace.json") == {}) == good
