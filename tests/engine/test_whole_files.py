# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from blender_deepdream.engine.file_hashes import FileHashes
from blender_deepdream.engine.library import Library
from blender_deepdream.engine.whole_files import replaced_whole, write_bytes
from blender_deepdream.protocol.errors import StorageError


def test_a_folder_that_is_none_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "sheet.png", b"")


def test_a_file_is_replaced_whole(tmp_path):
    write_bytes(tmp_path / "a", b"first")
    (tmp_path / "is-a-folder").mkdir()
    with pytest.raises(StorageError):
        write_bytes(tmp_path / "is-a-folder", b"second")
    write_bytes(tmp_path / "a", b"third")
    assert (tmp_path / "a").read_bytes() == b"third"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "is-a-folder"]


def test_what_ends_badly_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(RuntimeError), replaced_whole(tmp_path / "a") as part:
        part.write_bytes(b"half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_brain_cannot_take_the_place_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="cannot be written"):
        Library(tmp_path / "brains").export("lite0", tmp_path.relative_to(tmp_path))


def test_hashes_that_cannot_be_remembered_leave_nothing_behind(tmp_path):
    (tmp_path / "big").write_bytes(b"data")
    (tmp_path / "memory").mkdir()
    assert len(FileHashes(tmp_path / "memory").of(tmp_path / "big")) == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big", "memory"]
