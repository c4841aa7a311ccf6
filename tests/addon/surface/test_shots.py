# SPDX-License-Identifier: GPL-3.0-or-later
"""Where cameras stand, and close-ups of what others hardly see."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon.surface.choices import OWN_CAMERA
from blender_deepdream.addon.surface.close_ups import close_ups, seen_by, throw
from blender_deepdream.addon.surface.shots import Cameras, around, directions, moments
from blender_deepdream.addon.surface.stage import Stage, staged
from blender_deepdream.addon.surface.targets import make_plan
from blender_deepdream.protocol.errors import SceneError


def plan_of(*names: str):
    return make_plan([bpy.data.objects[name] for name in names], "OWN")


@pytest.fixture
def mouse(scene: bpy.types.Scene) -> bpy.types.Object:
    """A small ball beside a monkey twenty times its size."""
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.05, location=(1.6, 0, -1))
    bpy.context.object.name = "Mouse"
    return bpy.context.object


def test_a_convex_thing_needs_no_close_ups(scene: bpy.types.Scene) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add()
    bpy.context.object.name = "Ball"
    plan = plan_of("Ball")
    (now,) = moments(scene, plan, Cameras())
    with staged(scene, plan, "STUDIO", {}) as stage:
        stage.at(now)
        assert close_ups(stage, around(directions(24, "SPHERE"), [(now, stage.points)]), 6) == []


def test_what_is_framed_is_each_thing_in_its_own_shape(scene: bpy.types.Scene, mouse: bpy.types.Object) -> None:
    plan = plan_of("Mouse", "Suzanne")
    (now,) = moments(scene, plan, Cameras())
    with staged(scene, plan, "STUDIO", {}) as stage:
        stage.at(now)
        low, high = stage.points.min(0), stage.points.max(0)
    assert low[2] == pytest.approx(-1.05, abs=0.01)
    assert high[0] == pytest.approx(1.65, abs=0.01)
    assert low[0] < -1, "Suzanne is as large as she is"


def test_close_ups_see_what_is_small_and_what_is_hidden(scene: bpy.types.Scene, mouse: bpy.types.Object) -> None:
    plan = plan_of("Suzanne", "Mouse")
    (now,) = moments(scene, plan, Cameras())
    with staged(scene, plan, "STUDIO", {}) as stage:
        stage.at(now)
        shots = around(directions(18, "SPHERE"), [(now, stage.points)])
        near = close_ups(stage, shots, 6)
        assert 0 < len(near) <= 6
        before, after = worst(stage, shots), worst(stage, [*shots, *near])
    assert after > 1.3 * before


def worst(stage: Stage, shots) -> float:
    """The sharpness that four fifths of all places have at least."""
    places = throw(stage)
    return float(np.percentile(np.max([seen_by(stage, shot, places) for shot in shots], axis=0), 20))


def test_the_scenes_camera_is_followed_and_the_frame_comes_back(scene: bpy.types.Scene) -> None:
    camera = scene.camera
    for frame, x in ((1, -3.0), (9, 3.0)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    scene.frame_start, scene.frame_end = 1, 9
    scene.frame_set(4)
    found = moments(scene, plan_of("Suzanne"), Cameras(count=3, spread="CAMERA"))
    assert [moment.frame for moment in found] == [1, 5, 9]
    assert [round(float(moment.shot.eye[0]), 3) for moment in found] == [-3, 0, 3]
    assert scene.frame_current == 4
    scene.camera = None
    with pytest.raises(SceneError, match="no camera"):
        moments(scene, plan_of("Suzanne"), Cameras(count=3, spread="CAMERA"))


def test_things_stand_where_they_are_at_each_moment(scene: bpy.types.Scene, tmp_path: Path) -> None:
    item = bpy.data.objects["Suzanne"]
    for frame, x in ((1, 0.0), (5, 4.0)):
        item.location.x = x
        item.keyframe_insert("location", frame=frame)
    scene.frame_start, scene.frame_end = 1, 5
    plan = plan_of("Suzanne")
    first, last = moments(scene, plan, Cameras(moments=2))
    with staged(scene, plan, "STUDIO", {}) as stage:
        stage.at(last)
        assert stage.copies[0].matrix_world.translation.x == pytest.approx(4)
        stage.at(first)
        assert stage.copies[0].matrix_world.translation.x == pytest.approx(0)


def test_what_the_scenes_camera_sees_depends_on_its_lens(scene: bpy.types.Scene) -> None:
    def facts() -> list[object]:
        (now,) = moments(scene, plan_of("Suzanne"), Cameras(1, OWN_CAMERA))
        assert now.shot is not None
        return now.shot.facts

    before = facts()
    assert facts() == before
    scene.camera.data.lens += 10
    assert facts() != before
