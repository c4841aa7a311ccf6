# SPDX-License-Identifier: GPL-3.0-or-later
"""Where shots begin."""

from __future__ import annotations

import bpy
import pytest

from blender_deepdream.addon.timeline import camera_of, shot_of, shots_of
from blender_deepdream.protocol.errors import SceneError


@pytest.fixture
def cut(scene: bpy.types.Scene) -> bpy.types.Scene:
    """Cuts to another camera at frame 3, and back at 6; a marker at 4 that cuts nothing."""
    other = bpy.data.objects.new("Other", scene.camera.data)
    scene.collection.objects.link(other)
    for frame, eye in ((1, scene.camera), (3, other), (4, other), (6, scene.camera)):
        scene.timeline_markers.new("cut", frame=frame).camera = eye
    scene.frame_end = 8
    return scene


def test_markers_with_cameras_cut(cut: bpy.types.Scene) -> None:
    assert [camera_of(cut, frame) for frame in (0, 1, 2, 3, 5, 6)] == ["Camera"] * 3 + ["Other"] * 2 + ["Camera"]
    assert [[*shot] for shot in shots_of(cut)] == [[1, 2], [3, 4, 5], [6, 7, 8]]
    cut.frame_step = 2
    assert [[*shot] for shot in shots_of(cut)] == [[1], [3, 5], [7]]


def test_shots_count_from_one(cut: bpy.types.Scene) -> None:
    assert [*shot_of(cut, 2)] == [3, 4, 5]
    for number in (0, 4):
        with pytest.raises(SceneError, match=rf"no shot {number}") as caught:
            shot_of(cut, number)
        assert "2 (3-5)" in caught.value.hint


def test_a_scene_without_markers_is_one_shot(scene: bpy.types.Scene) -> None:
    assert [[*shot] for shot in shots_of(scene)] == [[1, 2, 3]]
