# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a cache is counted beside the panels, not by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_deepdream.addon import counting
from blender_deepdream.addon.counting import Counter
from blender_deepdream.addon.kept_frames import KeptFrames, kept_frames
from blender_deepdream.addon.room import Room, count
from blender_deepdream.protocol.errors import StorageError


def test_panels_wait_for_nothing_and_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(counting, "count", lambda root: asked.append(root) or Room(1, 12))
    counter = Counter()
    counter.counted(tmp_path, "")
    counter.wait()
    found = [counter.counted(tmp_path, "") for _ in range(9)]
    assert [one and one.room for one in found] == [Room(1, 12)] * 9
    assert asked == [tmp_path]
    counter.forget()
    counter.counted(tmp_path, "")
    counter.wait()
    assert asked == [tmp_path, tmp_path]


def test_what_cannot_be_counted_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(root: Path) -> Room:
        raise StorageError(f"The folder {root} cannot be read.", "May you read it?")

    monkeypatch.setattr(counting, "count", refuse)
    counter = Counter()
    counter.counted(tmp_path, "")
    counter.wait()
    found = counter.counted(tmp_path, "")
    assert found
    assert "cannot be read" in found.error


def test_a_blend_that_was_deleted_is_told(tmp_path: Path) -> None:
    counter = Counter()
    counter.counted(tmp_path, str(tmp_path / "gone.blend"))
    counter.wait()
    found = counter.counted(tmp_path, "")
    assert found
    assert found.error.endswith("gone.blend cannot be read: No such file or directory. Was it moved or deleted?")


def test_a_defect_is_told_and_met_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(counting, "count", lambda root: asked.append(root) or 1 / 0)
    counter = Counter()
    for _ in range(3):
        counter.counted(tmp_path, "")
        counter.wait()
    found = counter.counted(tmp_path, "")
    assert found
    assert "ZeroDivisionError" in found.error
    assert asked == [tmp_path]


@pytest.mark.parametrize(
    ("name", "content"), [("1\N{SUPERSCRIPT TWO}.json", '{"key": {}}'), ("0001.json", "[" * 200_000)]
)
def test_files_that_are_no_records_are_passed_over(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / name).write_text(content)
    assert kept_frames(tmp_path) == KeptFrames()
    assert count(tmp_path) == Room()
