# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream to look at that nothing keeps."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import compat, live_preview, node, status
from blender_deepdream.addon.quick_test import QuickTest, quick_test, small_percentage
from blender_deepdream.protocol.errors import SceneError

from .conftest import MakeJob, dream_node, only_node, pixels, quicken
from .test_rendering import snapshot


@pytest.fixture
def shot(dreaming: bpy.types.Scene, tmp_path: Path) -> bpy.types.Scene:
    dreaming.deepdream.cache = str(tmp_path / "cache")
    dreaming.render.resolution_x, dreaming.render.resolution_y = 480, 400
    return dreaming


def picture() -> bpy.types.Image:
    return bpy.data.images["DeepDream Quick Test"]


def test_a_test_is_small_and_leaves_no_trace(shot: bpy.types.Scene, tmp_path: Path) -> None:
    before = snapshot(shot)
    assert bpy.ops.deepdream.quick_test() == {"FINISHED"}
    assert tuple(picture().size) == (120, 100)
    assert snapshot(shot) == before
    assert not (tmp_path / "cache").exists()
    assert status.status(shot, only_node(shot).group) == status.NEEDS
    live_preview.put_away()
    assert "DeepDream Quick Test" not in bpy.data.images


def test_a_border_is_tested_at_its_true_size(shot: bpy.types.Scene) -> None:
    render = shot.render
    render.use_border, render.border_min_x, render.border_max_x = True, 0.25, 0.5
    render.border_min_y, render.border_max_y = 0.5, 0.75
    before = snapshot(shot)
    bpy.ops.deepdream.quick_test()
    assert tuple(picture().size) == (120, 100)
    assert snapshot(shot) == before


def test_the_finished_dream_stays(shot: bpy.types.Scene, tmp_path: Path) -> None:
    bpy.ops.deepdream.dream_frame()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    only_node(shot).group.deepdream.seed += 1
    bpy.ops.deepdream.quick_test(percentage=50)
    assert tuple(picture().size) == (240, 200)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*") if path.is_file()} == files
    assert status.status(shot, only_node(shot).group) == status.CHANGED


def test_another_nodes_dream_lets_its_image_pass(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    bpy.ops.deepdream.dream_frame()
    tree, first = compat.compositor_tree(shot), dream_node(shot)
    output = first.outputs[0].links[0].to_socket
    second = node.add_node(tree)
    quicken(second.node_tree)
    tree.links.new(first.outputs[0], second.inputs[0])
    tree.links.new(second.outputs[0], output)
    found = []
    for muted in (False, True):
        first.mute = muted
        result = tmp_path / f"{muted}.exr"
        list(quick_test(QuickTest(make_job(shot), second.node_tree.deepdream.id, 25, result)))
        assert first.mute == muted
        found.append(pixels(result))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("trouble", ["loose", "muted", "no camera", "guide"])
def test_what_cannot_be_tested_says_why(shot: bpy.types.Scene, trouble: str) -> None:
    words = {"loose": "Nothing is linked", "muted": "no DeepDream node", "no camera": "no camera", "guide": "guide"}
    if trouble == "loose":
        compat.compositor_tree(shot).links.remove(dream_node(shot).inputs[0].links[0])
    elif trouble == "muted":
        dream_node(shot).mute = True
    elif trouble == "no camera":
        shot.camera = None
    else:
        only_node(shot).group.deepdream.objective = "guide-dot"
    before = snapshot(shot)
    with pytest.raises(RuntimeError, match=words[trouble]):
        bpy.ops.deepdream.quick_test()
    assert snapshot(shot) == before


@pytest.mark.parametrize(
    ("size", "own", "wanted", "found"),
    [((1920, 1080), 100, 25, 25), ((1920, 1080), 50, 25, 12), ((160, 120), 100, 25, 80), ((60, 40), 100, 25, 100)],
)
def test_small_frames_are_not_made_smaller_than_they_tell(
    shot: bpy.types.Scene, size: tuple[int, int], own: int, wanted: int, found: int
) -> None:
    render = shot.render
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = own
    assert small_percentage(render, wanted) == found


def test_an_artist_who_moves_on_while_the_server_starts(
    shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    shot.camera.keyframe_insert("location", frame=1)
    shot.camera.location.x += 3
    shot.camera.keyframe_insert("location", frame=5)
    shot.frame_set(1)
    found = []
    for frame in (1, 5):
        result = tmp_path / f"{frame}.exr"
        for event in quick_test(QuickTest(make_job(shot), only_node(shot).group.deepdream.id, 25, result)):
            if event.stage == "render":
                shot.frame_set(frame)
        assert shot.frame_current == frame
        found.append(pixels(result))
    np.testing.assert_array_equal(*found)


def test_a_scene_that_is_deleted_while_the_server_starts(
    shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    bpy.data.scenes.new("Other")
    steps = quick_test(QuickTest(make_job(shot), only_node(shot).group.deepdream.id, 25, tmp_path / "test.exr"))
    with pytest.raises(SceneError, match="is gone"):
        for event in steps:
            if event.stage == "render":
                bpy.data.scenes.remove(shot)
