# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that cannot dream for the others says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError, StorageError
from blender_deepdream.server.cluster.nodes import check_mark, leave_mark, look, own_code
from blender_deepdream.server.store import Store


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    Store(tmp_path / "shared").prepare()
    return tmp_path / "shared"


def test_a_machine_that_sees_the_folder(shared: Path) -> None:
    mark = leave_mark(shared)
    check_mark(shared, mark)
    assert look(str(shared), mark, own_code()) is None
    assert not list((shared / "unfinished").iterdir())


def test_one_that_sees_another_folder_or_none(shared: Path, tmp_path: Path) -> None:
    mark = leave_mark(shared)
    for folder in (tmp_path / "nothing", tmp_path):
        error = look(str(folder), mark, own_code())
        assert isinstance(error, StorageError)
        assert str(folder) in error.message
        assert "under the same path" in error.hint
    with pytest.raises(StorageError, match="does not see"):
        check_mark(shared, "of another launch")


def test_what_serves_goes_on_to_see_the_folder_when_another_is_started(shared: Path) -> None:
    first, second = leave_mark(shared), leave_mark(shared)
    check_mark(shared, first)
    check_mark(shared, second)


def test_one_that_cannot_write_there(shared: Path) -> None:
    mark = leave_mark(shared)
    (shared / "unfinished").rmdir()
    assert isinstance(look(str(shared), mark, own_code()), StorageError)


def test_one_with_other_code(shared: Path) -> None:
    error = look(str(shared), leave_mark(shared), "code 0 in Python 3.9.18")
    assert isinstance(error, InputError)
    assert own_code() in error.message
    assert "same version" in error.hint
