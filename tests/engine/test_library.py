# SPDX-License-Identifier: GPL-3.0-or-later
import os
import pickle

import pytest

from blender_deepdream.engine import brain_file
from blender_deepdream.engine.library import Damaged, Library
from blender_deepdream.protocol.errors import BrainFileError, InputError, StorageError, UnknownBrainError

from .small_brains import DESCRIPTION, small_card, small_tensors


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "brains")


@pytest.fixture
def stocked(library):
    library.add(small_card(), small_tensors(), DESCRIPTION)
    return library


def test_an_empty_library_has_what_is_built_in(library):
    assert [card.name for card in library.brains()] == ["lite0"]
    assert library.load("lite0").card.name == "lite0"
    assert not library.folder.exists()


def test_a_brain_that_was_added_is_found_and_loaded(stocked):
    assert [card.name for card in Library(stocked.folder).brains()] == ["lite0", "small"]
    assert stocked.find("small").id == brain_file.read_card(stocked.path("small")).id
    assert stocked.load("small").card == stocked.find("small")


def test_two_brains_of_one_name(stocked):
    with pytest.raises(InputError, match=r"a brain 'small' already\..*, or replace it"):
        stocked.add(small_card(), small_tensors(), DESCRIPTION)
    stocked.add(small_card(title="Another"), small_tensors(), DESCRIPTION, replace_old=True)
    assert stocked.find("small").title == "Another"
    with pytest.raises(InputError, match=r"'lite0' already.*built in"):
        stocked.add(small_card("lite0"), small_tensors(), DESCRIPTION, replace_old=True)


def test_a_brain_goes_to_another_library_and_back(stocked, tmp_path):
    file = tmp_path / "given away.safetensors"
    stocked.export("small", file)
    other = Library(tmp_path / "other")
    assert other.add_file(file).id == stocked.find("small").id
    assert other.add_file(file, "renamed").name == "renamed"
    assert other.load("renamed").card.name == "renamed"
    assert [card.name for card in other.brains()] == ["lite0", "renamed", "small"]


def test_the_built_in_brain_can_be_exported(library, tmp_path):
    library.export("lite0", tmp_path / "lite0.safetensors")
    assert library.add_file(tmp_path / "lite0.safetensors", "mine").layers == library.find("lite0").layers


def test_a_removed_brain_is_gone(stocked):
    stocked.remove("small")
    with pytest.raises(UnknownBrainError):
        stocked.remove("small")
    with pytest.raises(InputError, match="built in"):
        stocked.remove("lite0")


def test_names_that_are_near_are_offered(stocked):
    with pytest.raises(UnknownBrainError, match=r"'smal'.*Did you mean small\?.*lite0, small"):
        stocked.find("smal")


@pytest.mark.parametrize("name", ["../small", "a/b", "a\\b", "", ".", "..", "nul", "x" * 65, "new\nline", "Caps", "ä"])
def test_names_that_cannot_be(stocked, tmp_path, name):
    with pytest.raises(UnknownBrainError):
        stocked.load(name)
    with pytest.raises(UnknownBrainError):
        stocked.remove(name)
    with pytest.raises(InputError, match="cannot be called"):
        stocked.add_file(stocked.path("small"), name or "?")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brains"]


def test_a_file_with_the_name_of_a_built_in_brain_is_told_of(stocked):
    (stocked.folder / "lite0.safetensors").write_bytes(b"")
    found = list(stocked.everything())
    assert [entry.name for entry in found if not isinstance(entry, Damaged)].count("lite0") == 1
    assert any("built-in" in entry.reason for entry in found if isinstance(entry, Damaged))


def test_damaged_files_are_told_of_and_nothing_else_suffers(stocked):
    (stocked.folder / "cut.safetensors").write_bytes(stocked.path("small").read_bytes()[:-1])
    (stocked.folder / "pickle.safetensors").write_bytes(pickle.dumps(print))
    (stocked.folder / "Two Words.safetensors").write_bytes(stocked.path("small").read_bytes())
    (stocked.folder / "folder.safetensors").mkdir()
    damaged = [entry for entry in stocked.everything() if isinstance(entry, Damaged)]
    assert sorted(entry.path.name for entry in damaged) == [
        "Two Words.safetensors",
        "cut.safetensors",
        "folder.safetensors",
        "pickle.safetensors",
    ]
    assert [card.name for card in stocked.brains()] == ["lite0", "small"]
    with pytest.raises(BrainFileError, match="shorter"):
        stocked.find("cut")


def test_a_file_that_is_no_brain_is_not_taken_in(library, tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(pickle.dumps(print))
    with pytest.raises(BrainFileError, match="not a safetensors file"):
        library.add_file(file, "model")
    with pytest.raises(BrainFileError, match="cannot be read"):
        library.add_file(tmp_path / "missing.safetensors")
    assert list(library.folder.glob("*")) == []


def test_a_folder_that_cannot_be_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        Library(tmp_path / "file" / "brains").add(small_card(), small_tensors(), DESCRIPTION)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this system's folders")
def test_a_pipe_among_the_files_is_told_of_and_nobody_waits_for_it(stocked):
    os.mkfifo(stocked.folder / "pipe.safetensors")
    assert [entry.reason for entry in stocked.everything() if isinstance(entry, Damaged)] == [
        f"{stocked.folder / 'pipe.safetensors'} is not a file."
    ]
