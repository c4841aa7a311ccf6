# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist renders, and the dream begins by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import after_render, changes, compat, node

from .conftest import only_node


@pytest.fixture
def shot(dreaming: bpy.types.Scene, tmp_path: Path) -> Iterator[bpy.types.Scene]:
    dreaming.deepdream.cache = str(tmp_path / "cache")
    dreaming.deepdream.after_render = True
    dreaming.render.filepath = f"{tmp_path / 'out'}/"
    compat.set_format(dreaming.render.image_settings, "PNG")
    yield dreaming
    after_render.stop()


def dreams(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "dream").glob("*/*.exr"))


def test_an_image_is_followed_by_its_dream_and_by_no_other(shot: bpy.types.Scene, tmp_path: Path) -> None:
    bpy.ops.render.render()
    assert dreams(tmp_path) == []
    assert after_render.look() is not None
    assert dreams(tmp_path) == ["0001.exr"]
    before = (tmp_path / "cache").rglob("*.json")
    times = {path: path.stat().st_mtime_ns for path in before}
    after_render.look()
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_an_animation_is_followed_by_that_of_its_dreams(shot: bpy.types.Scene, tmp_path: Path) -> None:
    shot.frame_end = 2
    bpy.ops.render.render(animation=True)
    plain = (tmp_path / "out" / "0002.png").read_bytes()
    after_render.look()
    assert dreams(tmp_path) == ["0001.exr", "0002.exr"]
    assert (tmp_path / "out" / "0002.png").read_bytes() != plain


def test_an_image_that_a_script_writes_is_no_animation(shot: bpy.types.Scene, tmp_path: Path) -> None:
    bpy.ops.render.render(write_still=True)
    after_render.look()
    assert dreams(tmp_path) == ["0001.exr"]


@pytest.mark.parametrize("why", ["off", "no node", "running"])
def test_nothing_begins(shot: bpy.types.Scene, tmp_path: Path, why: str) -> None:
    state = bpy.context.window_manager.deepdream
    if why == "off":
        shot.deepdream.after_render = False
    elif why == "no node":
        tree = compat.compositor_tree(shot)
        for item in [item for item in tree.nodes if node.dream_group_of(item)]:
            tree.nodes.remove(item)
    state.running = why == "running"
    try:
        bpy.ops.render.render()
        assert (after_render.look() is None) == (why == "off")
    finally:
        state.running = False
    assert not (tmp_path / "cache").exists()
    assert state.error == ""


def test_a_render_of_ours_that_ends_after_its_cancelled_dream_starts_nothing(
    shot: bpy.types.Scene, tmp_path: Path
) -> None:
    with changes.not_counted():
        after_render.on_init(shot)
    after_render.on_complete(shot)
    after_render.look()
    assert dreams(tmp_path) == []


def test_what_cannot_dream_is_told_by_the_panel(shot: bpy.types.Scene) -> None:
    only_node(shot).group.deepdream.brain = "nobody"
    bpy.ops.render.render()
    after_render.look()
    assert "nobody" in bpy.context.window_manager.deepdream.error


def test_frames_that_are_not_to_be_written_again_are_told(shot: bpy.types.Scene, tmp_path: Path) -> None:
    shot.render.use_overwrite = False
    bpy.ops.render.render(animation=True)
    after_render.look()
    assert "Overwrite" in bpy.context.window_manager.deepdream.error
    assert not dreams(tmp_path)


def test_it_is_off_at_first(scene: bpy.types.Scene) -> None:
    assert not scene.deepdream.after_render
