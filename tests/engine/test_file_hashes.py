# SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import os
from pathlib import Path

import pytest

from blender_deepdream.engine import file_hashes
from blender_deepdream.engine.file_hashes import FileHashes


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    return path


def memory_beside(file: Path) -> FileHashes:
    return FileHashes(file.with_name(".hashes.json"))


def test_a_hash_is_remembered_from_process_to_process(file, monkeypatch):
    wanted = hashlib.sha256(b"one").hexdigest()
    assert memory_beside(file).of(file) == wanted
    monkeypatch.setattr(file_hashes, "hash_of", None)
    assert memory_beside(file).of(file) == wanted


def test_a_changed_file_is_hashed_again(file):
    memory_beside(file).of(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(0, 0))
    assert memory_beside(file).of(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("lost", [b"", b"[1]", b'{"weights": 1}', b'{"weights": [3]}', b"[" * 100_000, b"1" * 2**21])
def test_a_memory_that_is_none_is_replaced(file, lost):
    file.with_name(".hashes.json").write_bytes(lost)
    assert memory_beside(file).of(file) == hashlib.sha256(b"one").hexdigest()
    assert b'"weights": [3, ' in file.with_name(".hashes.json").read_bytes()


def test_files_that_are_gone_are_forgotten(file):
    other = file.with_name("other")
    other.write_bytes(b"")
    memory_beside(file).of(other)
    other.unlink()
    memory_beside(file).of(file)
    assert "other" not in file.with_name(".hashes.json").read_text("utf-8")
