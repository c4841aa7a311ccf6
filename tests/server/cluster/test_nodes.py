# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that cannot dream for the others says why."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError, StorageError
from blender_deepdream.server.cluster.nodes import check_mark, last_words, leave_mark, look, own_code
from blender_deepdream.server.cluster.place import Place
from blender_deepdream.server.documents import FolderDocuments
from blender_deepdream.server.store import Store


@pytest.fixture
def place(tmp_path: Path) -> Place:
    Store(tmp_path / "shared").prepare()
    return Place(str(tmp_path / "shared"))


def test_a_machine_that_sees_the_folder(place: Place) -> None:
    mark = leave_mark(place)
    check_mark(place, mark)
    assert look(place, None, mark, own_code()) is None
    assert [path.name for path in Path(place.shared, "cluster").iterdir()] == ["marks"]


def test_one_that_sees_another_folder_or_none(place: Place, tmp_path: Path) -> None:
    mark = leave_mark(place)
    for folder in (tmp_path / "nothing", tmp_path):
        error = look(Place(str(folder)), None, mark, own_code())
        assert isinstance(error, StorageError)
        assert str(folder) in error.message
        assert "under the same path" in error.hint
    with pytest.raises(StorageError, match="does not see"):
        check_mark(place, "of another launch")


def test_what_serves_goes_on_to_see_the_folder_when_another_is_started(place: Place) -> None:
    first, second = leave_mark(place), leave_mark(place)
    check_mark(place, first)
    check_mark(place, second)


def test_one_that_cannot_write_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = leave_mark(place)

    def refuse(*_: object) -> None:
        raise StorageError("It cannot be written: it is read-only.")

    monkeypatch.setattr(FolderDocuments, "put", refuse)
    error = look(place, None, mark, own_code())
    assert isinstance(error, StorageError)
    assert socket.gethostname() in error.message


def test_one_with_other_code(place: Place) -> None:
    error = look(place, None, leave_mark(place), "code 0 in Python 3.9.18")
    assert isinstance(error, InputError)
    assert own_code() in error.message
    assert "same version" in error.hint


def test_what_ray_says_last() -> None:
    assert last_words(RuntimeError("Traceback\n  File\nModuleNotFoundError: no numpy\n")).endswith("no numpy")
    assert last_words(RuntimeError(" \n")) == "RuntimeError"
