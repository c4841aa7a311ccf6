# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist presses, as scripts call it."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import compat
from blender_deepdream.addon.cache import scene_cache

from .conftest import dream_node, only_node


@pytest.fixture
def at_home(dreaming: bpy.types.Scene, tmp_path: Path) -> bpy.types.Scene:
    dreaming.deepdream.cache = str(tmp_path / "cache")
    dreaming.render.filepath = f"{tmp_path / 'out'}/"
    compat.set_format(dreaming.render.image_settings, "PNG")
    return dreaming


def test_dream_frame_shows_a_dream(at_home: bpy.types.Scene, tmp_path: Path) -> None:
    at_home.frame_set(2)
    assert bpy.ops.deepdream.dream_frame() == {"FINISHED"}
    (dream,) = (tmp_path / "cache" / "dream").glob("*/*.exr")
    assert dream.name == "0002.exr"
    assert not (tmp_path / "out").exists()
    assert at_home.frame_current == 2


def test_dream_animation_writes_the_scenes_frames(at_home: bpy.types.Scene, tmp_path: Path) -> None:
    at_home.frame_end, at_home.frame_step = 3, 2
    assert bpy.ops.deepdream.dream_animation() == {"FINISHED"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0001.png", "0003.png"]


@pytest.mark.parametrize("kind", ["OPEN_EXR", "OPEN_EXR_MULTILAYER", "TIFF", "WEBP", "HDR", "DPX", "BMP"])
def test_frames_are_of_the_scenes_own_kind(at_home: bpy.types.Scene, tmp_path: Path, kind: str) -> None:
    compat.set_format(at_home.render.image_settings, kind)
    at_home.render.filepath, at_home.frame_end = str(tmp_path / "out" / "a_##_b"), 1
    assert bpy.ops.deepdream.dream_animation() == {"FINISHED"}
    (frame,) = (tmp_path / "out").iterdir()
    assert frame.name == f"a_01_b{at_home.render.file_extension}"
    assert frame.stat().st_size > 500


def test_failure_is_said_and_stays_on_the_panel(at_home: bpy.types.Scene) -> None:
    only_node(at_home).group.deepdream.brain = "nobody"
    with pytest.raises(RuntimeError, match="nobody"):
        bpy.ops.deepdream.dream_frame()
    assert "nobody" in bpy.context.window_manager.deepdream.error
    assert not bpy.context.window_manager.deepdream.running

    only_node(at_home).group.deepdream.brain = "lite0"
    bpy.ops.deepdream.dream_frame()
    assert bpy.context.window_manager.deepdream.error == ""


def test_movies_are_refused_in_words(at_home: bpy.types.Scene) -> None:
    if compat.NEW_COMPOSITOR:
        at_home.render.image_settings.media_type = "VIDEO"
    at_home.render.image_settings.file_format = "FFMPEG"
    with pytest.raises(RuntimeError, match="not as a movie"):
        bpy.ops.deepdream.dream_animation()


def test_edit_before_the_node_is_seen(at_home: bpy.types.Scene, tmp_path: Path) -> None:
    """In a session the compositor may change between two dreams without the file being saved."""
    bpy.ops.deepdream.dream_frame()
    (dream,) = (tmp_path / "cache" / "dream").glob("*/*.exr")
    before = dream.read_bytes()
    tree = compat.compositor_tree(at_home)
    item = dream_node(at_home)
    invert = tree.nodes.new("CompositorNodeInvert")
    tree.links.new(item.inputs["Image"].links[0].from_socket, invert.inputs["Color"])
    tree.links.new(invert.outputs[0], item.inputs["Image"])
    bpy.ops.deepdream.dream_frame()
    assert dream.read_bytes() != before


def test_cache_lies_beside_the_saved_file(scene: bpy.types.Scene, tmp_path: Path) -> None:
    assert "deepdream" in str(scene_cache(scene).root)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert scene_cache(bpy.context.scene).root == tmp_path / "shot_deepdream" / "Scene"


def test_cancel_needs_something_to_cancel() -> None:
    assert not bpy.ops.deepdream.cancel.poll()
