# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

from blender_deepdream.engine.surface.standing import Keeper


def test_a_dream_that_was_too_quick_to_be_kept_ends_well(tmp_path: Path) -> None:
    with Keeper(tmp_path / "surfaces" / "one.safetensors").until_done():
        pass
    assert not list(tmp_path.iterdir())


def test_what_is_kept_goes_when_the_dream_is_whole(tmp_path: Path) -> None:
    kept = tmp_path / "kept.safetensors"
    kept.touch()
    with Keeper(kept).until_done():
        assert kept.is_file()
    assert not kept.is_file()


def test_what_killed_dreams_have_left_goes_in_the_end(tmp_path: Path) -> None:
    stood, written, fresh = (tmp_path / name for name in ("other.safetensors", ".other.part", ".now.part"))
    for path in (stood, written, fresh):
        path.touch()
    for path in (stood, written):
        os.utime(path, (0, 0))
    with Keeper(tmp_path / "kept.safetensors").until_done():
        pass
    assert list(tmp_path.iterdir()) == [fresh]


def test_what_cannot_be_tidied_is_no_harm_to_a_whole_dream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stuck = tmp_path / "own.safetensors"
    stuck.mkdir()
    with Keeper(stuck).until_done():
        pass
    assert "cannot be tidied" in caplog.text
