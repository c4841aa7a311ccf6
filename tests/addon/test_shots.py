# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that hold on to the dream of the frame before, through a real server."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import camera, compat, node
from blender_deepdream.addon.cache import Cache
from blender_deepdream.addon.changes import file_hash
from blender_deepdream.protocol.errors import SceneError

from .conftest import MakeJob, dream_node, dream_path, notes, only_node, outputs, pixels, quicken, record, run


@pytest.fixture
def shot(dreaming: bpy.types.Scene) -> bpy.types.Scene:
    only_node(dreaming).group.deepdream.steps = 4
    return dreaming


def follows(tmp_path: Path, frame: int) -> dict[str, object] | None:
    found = record(tmp_path, frame)["follows"]
    assert found is None or isinstance(found, dict)
    return found


def test_a_frame_holds_on_to_the_one_before(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(shot, [1, 2]))
    assert follows(tmp_path, 1) is None
    second = follows(tmp_path, 2)
    assert second is not None
    detail = dream_path(tmp_path, 1).parent / "detail" / "0001.exr"
    assert second["detail"] == record(tmp_path, 1)["detail"] == file_hash(detail)
    assert second["motion"] == file_hash(tmp_path / "cache" / "raw" / "0002.exr")
    assert second["motion_before"] == file_hash(tmp_path / "cache" / "raw" / "0001.exr")
    assert np.allclose(second["turn"], np.eye(3).flatten()), "the camera stands still"


def test_less_changes_from_frame_to_frame(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    """Of a still whose seed is another one in every frame."""
    settings = only_node(shot).group.deepdream
    bpy.data.objects["Suzanne"].animation_data_clear()
    for frame in (1, 2):
        settings.seed = frame
        settings.keyframe_insert("seed", frame=frame)
    change = []
    for coherence in (0.0, 0.95):
        settings.coherence = coherence
        run(make_job(shot, [1, 2]))
        change.append(np.abs(pixels(tmp_path / "out" / "0001.exr") - pixels(tmp_path / "out" / "0002.exr")).mean())
    assert change[1] < 0.4 * change[0]


def test_without_coherence_nothing_is_kept(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    only_node(shot).group.deepdream.coherence = 0
    run(make_job(shot, [1, 2]))
    assert follows(tmp_path, 2) is None
    assert not (dream_path(tmp_path, 1).parent / "detail").exists()


def test_a_run_that_was_stopped_ends_with_the_same_frames(
    shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job(shot, [1, 2, 3]))
    whole = outputs(tmp_path)
    again = Cache(tmp_path / "again")
    for frames in ([1], [1, 2], [1, 2, 3]):
        run(make_job(shot, frames, cache=again))
    assert outputs(tmp_path) == whole


@pytest.mark.parametrize("lost", ["detail/0002.exr", "0002.exr", "0002.json", "detail/0001.exr"])
def test_what_was_lost_is_made_again(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path, lost: str) -> None:
    run(make_job(shot, [1, 2, 3]))
    whole = outputs(tmp_path)
    (dream_path(tmp_path, 1).parent / lost).write_bytes(b"damaged")
    run(make_job(shot, [1, 2, 3]))
    assert outputs(tmp_path) == whole


def test_a_setting_changed_late_keeps_what_came_before(
    shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    settings = only_node(shot).group.deepdream
    for frame in (1, 3):
        settings.keyframe_insert("step_size", frame=frame)
    run(make_job(shot, [1, 2, 3]))
    before = {frame: record(tmp_path, frame)["job"] for frame in (1, 2, 3)}
    settings.step_size = 0.02
    settings.keyframe_insert("step_size", frame=3)
    for curve in compat_curves(shot):
        for point in curve.keyframe_points:
            point.interpolation = "CONSTANT"
    run(make_job(shot, [1, 2, 3]))
    after = {frame: record(tmp_path, frame)["job"] for frame in (1, 2, 3)}
    assert [frame for frame in before if before[frame] != after[frame]] == [3]


def compat_curves(scene: bpy.types.Scene) -> list[bpy.types.FCurve]:
    action = only_node(scene).group.animation_data.action
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [
        curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves
    ]


def test_a_cut_begins_a_new_shot(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    other = bpy.data.objects.new("Other", shot.camera.data)
    other.location, other.rotation_euler = (0.5, -4, 0), (1.5708, 0, 0)
    shot.collection.objects.link(other)
    for frame, eye in ((1, shot.camera), (3, other)):
        shot.timeline_markers.new("cut", frame=frame).camera = eye
    run(make_job(shot, [1, 2, 3]))
    assert follows(tmp_path, 2) is not None
    assert follows(tmp_path, 3) is None


def test_a_range_that_starts_in_mid_shot_goes_on_or_says_that_it_does_not(
    shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    fresh, kept = Cache(tmp_path / "fresh"), Cache(tmp_path / "cache")
    (note,) = notes(make_job(shot, [2, 3], cache=fresh))
    assert "begins anew" in note
    assert "frame 1" in note
    assert notes(make_job(shot, [2], cache=fresh)) == [], "a still need not be told"
    run(make_job(shot, [1, 2, 3]))
    whole = outputs(tmp_path)["0003.exr"]
    shot.frame_set(1)
    assert notes(make_job(shot, [3], cache=kept)) == []
    assert outputs(tmp_path)["0003.exr"] == whole


def test_with_motion_blur_the_motion_is_guessed(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    shot.render.use_motion_blur = True
    run(make_job(shot, [1, 2, 3]))
    second = follows(tmp_path, 2)
    assert second is not None
    assert second["motion"] is None
    assert second["source"] == file_hash(dream_path(tmp_path, 1).parent / "seen" / "0001.exr")
    whole = outputs(tmp_path)
    (dream_path(tmp_path, 1).parent / "seen" / "0001.exr").unlink()
    run(make_job(shot, [1, 2, 3]))
    assert outputs(tmp_path) == whole


def test_in_steps_of_two_the_motion_is_guessed(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(shot, [5, 1, 3]))
    for frame, before in ((3, 1), (5, 3)):
        held = follows(tmp_path, frame)
        assert held is not None
        assert held["motion"] is None
        assert held["detail"] == record(tmp_path, before)["detail"]


def test_stills_far_apart_are_on_their_own(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    assert notes(make_job(shot, [1, 9])) == []
    assert follows(tmp_path, 9) is None


def test_a_run_in_leads_to_a_chunk_and_is_not_kept(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(shot, [1, 2, 3, 4]))
    whole, chunk = outputs(tmp_path), Cache(tmp_path / "chunk")

    def dream_chunk(run_in: int) -> list[str]:
        return run(make_job(shot, [3, 4], cache=chunk, reuse_captures=True, run_in=run_in))

    assert dream_chunk(run_in=5).count("finished") == 2
    assert outputs(tmp_path) == whole, "the run-in began where the shot does"
    assert sorted(path.name for path in (chunk.root / "dream").glob("*/*.exr")) == ["0003.exr", "0004.exr"]
    assert "dream" not in dream_chunk(run_in=5), "what a run-in has led to is still good"
    assert "dream" in dream_chunk(run_in=1)
    assert outputs(tmp_path)["0003.exr"] != whole["0003.exr"], "a shorter run-in is another beginning"


def test_an_endless_zoom_has_no_run_in(shot: bpy.types.Scene, make_job: MakeJob) -> None:
    only_node(shot).group.deepdream.endless = True
    with pytest.raises(SceneError, match="no run-in"):
        run(make_job(shot, [3], run_in=1))


@pytest.mark.parametrize("lost", ["0002.exr", "0002.json"])
def test_lost_passes_are_rendered_again_to_go_on(
    shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path, lost: str
) -> None:
    run(make_job(shot, [1, 2, 3]))
    whole = outputs(tmp_path)
    (tmp_path / "cache" / "raw" / lost).write_bytes(b"damaged")
    for path in (*dream_path(tmp_path, 3).parent.glob("0003.*"), tmp_path / "out" / "0003.exr"):
        path.unlink()
    shot.frame_set(3)
    run(make_job(shot, [3]))
    assert outputs(tmp_path) == whole


def test_another_resolution_begins_anew_and_says_so(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(shot, [1]))
    shot.render.resolution_percentage = 50
    (note,) = notes(make_job(shot, [2]))
    assert "another size" in note
    assert follows(tmp_path, 2) is None


def test_a_bent_image_is_followed_by_guessing(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    tree = compat.compositor_tree(shot)
    assert only_node(shot).rendered == shot.name
    image = dream_node(shot).inputs["Image"]
    flip = tree.nodes.new("CompositorNodeFlip")
    tree.links.new(image.links[0].from_socket, flip.inputs[0])
    tree.links.new(flip.outputs[0], image)
    assert only_node(shot).rendered == ""
    run(make_job(shot, [1, 2]))
    second = follows(tmp_path, 2)
    assert second is not None
    assert second["motion"] is None


def test_a_border_is_followed_too(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    render = shot.render
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x, render.border_min_y, render.border_max_y = 0.25, 0.75, 0.25, 0.75
    run(make_job(shot, [1, 2]))
    second = follows(tmp_path, 2)
    assert second is not None
    assert second["motion"] is not None


def test_two_nodes_each_with_its_own_coherence(shot: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    first = only_node(shot)
    added = node.add_node(compat.compositor_tree(shot))
    quicken(added.node_tree)
    tree = compat.compositor_tree(shot)
    target = compat.output_socket(tree)
    tree.links.new(target.links[0].from_socket, added.inputs["Image"])
    tree.links.new(added.outputs["Image"], target)
    added.node_tree.deepdream.coherence = 0
    run(make_job(shot, [1, 2]))
    held = {
        path.parent.name[-8:]: json.loads(path.read_text())["key"]["follows"]
        for path in (tmp_path / "cache" / "dream").glob("*/0002.json")
    }
    assert held.pop(first.id[:8]) is not None
    assert list(held.values()) == [None]


def test_a_turning_camera_turns_the_background(scene: bpy.types.Scene) -> None:
    eye = scene.camera
    before = camera.view(scene)
    eye.rotation_euler.z -= 0.1
    bpy.context.view_layer.update()
    matrix = np.reshape(camera.turn(camera.view(scene), before), (3, 3))
    x, y, w = matrix @ (0.5, 0.5, 1)
    angle = 2 * np.arctan(eye.data.sensor_width / 2 / eye.data.lens)
    assert x / w == pytest.approx(0.5 + np.tan(0.1) / np.tan(angle / 2) / 2, abs=1e-4), "it was further right"
    assert y / w == pytest.approx(0.5, abs=1e-4)
    eye.data.type = "ORTHO"
    assert camera.view(scene) is None
