# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's way to a brain of their own, with a real server: render pictures, train, dream with it."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import compat
from blender_deepdream.addon.report import REPORTS, report_path
from blender_deepdream.addon.training_properties import report_folder
from blender_deepdream.protocol.recipe import Recipe

from .conftest import only_node

QUICK = {"side": 32, "epochs": 1, "batch": 4, "clarity": 0.0}


@pytest.fixture
def studio(dreaming: bpy.types.Scene, tmp_path: Path) -> bpy.types.Scene:
    """A scene with a DeepDream node and two objects, selected, and settings that are quick."""
    bpy.ops.mesh.primitive_cone_add(location=(5, 0, 0))
    bpy.data.objects["Suzanne"].select_set(True)
    settings = dreaming.deepdream
    settings.cache = str(tmp_path / "cache")
    settings.dataset.count, settings.dataset.side, settings.dataset.samples = 6, 40, 1
    settings.dataset.engine = "CYCLES"
    settings.training.pictures, settings.training.brain = str(tmp_path / "set"), "mine/ü"
    for name, value in QUICK.items():
        setattr(settings.training, name, value)
    dreaming.render.filepath = f"{tmp_path / 'out'}/"
    compat.set_format(dreaming.render.image_settings, "PNG")
    return dreaming


@pytest.mark.timeout(400)  # the atlas of sixteen layers
def test_from_objects_to_a_dream_of_them(studio: bpy.types.Scene, tmp_path: Path) -> None:
    settings = studio.deepdream.training
    settings.brain = "mine"
    assert bpy.ops.deepdream.render_dataset() == {"FINISHED"}
    assert bpy.ops.deepdream.train() == {"FINISHED"}
    assert (settings.trained, settings.job) == ("mine", "")
    assert "2 classes, 12 pictures" in settings.outcome
    assert all(report_path(report_folder(studio, "mine"), name) for name in REPORTS)
    for name in REPORTS:
        assert bpy.ops.deepdream.show_report(picture=name) == {"FINISHED"}

    node = only_node(studio).group.deepdream
    node.layers = "_blocks.4"
    assert bpy.ops.deepdream.use_brain() == {"FINISHED"}
    assert (node.brain, node.layers) == ("mine", "")
    assert bpy.ops.deepdream.dream_frame() == {"FINISHED"}

    with pytest.raises(RuntimeError, match="mine"):  # the name is taken, for another recipe
        settings.seed = 1
        bpy.ops.deepdream.train()
    assert "mine" in bpy.context.window_manager.deepdream.training.error


def test_every_knob_of_the_recipe_is_a_property(studio: bpy.types.Scene) -> None:
    settings = studio.deepdream.training
    for name in QUICK:
        settings.property_unset(name)
    assert settings.to_recipe() == Recipe()
    settings.learning_rate, settings.trains, settings.photometric = 0.003, "head", False
    assert settings.to_recipe() == Recipe().replace(learning_rate=0.003, trains="head", photometric=False)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("pictures", "", "No folder is chosen"),
        ("pictures", "/nowhere/at/all", "is not a folder"),
        ("brain", " ", "has no name"),
        ("background", "blue", "is no colour"),
        ("base", "nobody", "nobody"),
    ],
)
def test_what_is_wrong_is_said_and_stays_on_the_panel(
    studio: bpy.types.Scene, tmp_path: Path, name: str, value: str, error: str
) -> None:
    (tmp_path / "set" / "a").mkdir(parents=True)
    (tmp_path / "set" / "a" / "1.png").write_bytes(b"no picture")
    setattr(studio.deepdream.training, name, value)
    with pytest.raises(RuntimeError, match=error):
        bpy.ops.deepdream.train()
    state = bpy.context.window_manager.deepdream.training
    assert error in state.error
    assert not state.running


def test_a_training_is_followed_only_where_one_was_begun(studio: bpy.types.Scene) -> None:
    with pytest.raises(RuntimeError, match="has begun no training"):
        bpy.ops.deepdream.train(follow=True)


def test_the_report_of_any_name_is_a_folder(studio: bpy.types.Scene, tmp_path: Path) -> None:
    for name in ("mine/ü", "../../up", "con", " "):
        assert report_folder(studio, name).parent == tmp_path / "cache" / "training"


def test_nothing_to_show_or_use_is_said(studio: bpy.types.Scene) -> None:
    with pytest.raises(RuntimeError, match="no picture of a brain's curves yet"):
        bpy.ops.deepdream.show_report(picture="curves")
    with pytest.raises(RuntimeError, match="No brain has been trained here yet"):
        bpy.ops.deepdream.use_brain()
    only_node(studio).group.deepdream.id = ""
    assert not bpy.ops.deepdream.use_brain.poll()
    assert not bpy.ops.deepdream.stop_training.poll()
