# SPDX-License-Identifier: GPL-3.0-or-later
"""The last dreams of a node, and the way back to them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_deepdream.addon import history, regions
from blender_deepdream.addon.history import KEPT, Remembered
from blender_deepdream.addon.status import asked
from blender_deepdream.protocol.errors import SettingsError

from .conftest import MakeJob, notes, only_node, pixels, run


@pytest.fixture
def shot(dreaming: bpy.types.Scene, tmp_path: Path) -> bpy.types.Scene:
    dreaming.deepdream.cache = str(tmp_path / "cache")
    dreaming.render.resolution_x, dreaming.render.resolution_y = 32, 24
    return dreaming


@pytest.fixture
def group(shot: bpy.types.Scene) -> bpy.types.NodeTree:
    return only_node(shot).group


def remembered(scene: bpy.types.Scene) -> list[Remembered]:
    return history.history(scene, only_node(scene).group)


def test_one_goes_back_to_an_earlier_dream(shot: bpy.types.Scene, group: Any) -> None:
    settings = group.deepdream
    settings.strength, settings.layers, settings.guide = 0.35, "_blocks.4=2", bpy.data.images.new("Guide", 8, 8)
    before = asked(settings)
    bpy.ops.deepdream.dream_frame()
    settings.strength, settings.layers, settings.seed, settings.guide = 1, "", 9, None
    settings.surprise = 12
    bpy.ops.deepdream.dream_frame()
    newest, oldest = remembered(shot)
    assert (newest.settings["seed"], oldest.settings["layers"]) == (9, "_blocks.4=2")
    assert bpy.ops.deepdream.restore_dream(name=oldest.name) == {"FINISHED"}
    assert asked(settings) == before
    assert settings.surprise == 0
    bpy.ops.deepdream.restore_dream()
    assert (settings.seed, settings.surprise) == (9, 12)


def test_a_picture_shows_what_was_dreamed(shot: bpy.types.Scene) -> None:
    bpy.ops.deepdream.dream_frame()
    (one,) = remembered(shot)
    picture = pixels(one.picture)
    assert picture.shape == (24, 32, 4)
    assert picture[..., :3].std() > 0.03
    assert not [image.name for image in bpy.data.images if "thumbnail" in image.name]


def test_the_same_settings_are_one_dream(shot: bpy.types.Scene, group: Any, tmp_path: Path) -> None:
    shot.render.filepath = f"{tmp_path / 'out'}/"
    bpy.ops.deepdream.dream_animation()
    assert [one.frame for one in remembered(shot)] == [1]
    group.deepdream.seed = 5
    shot.frame_set(3)
    bpy.ops.deepdream.dream_frame()
    group.deepdream.seed = 0
    shot.frame_set(2)
    shot.deepdream.rerender = True
    shot.cycles.seed = 4
    bpy.ops.deepdream.dream_frame()
    assert [(one.frame, one.settings["seed"]) for one in remembered(shot)] == [(2, 0), (3, 5)]


def test_it_is_bounded_and_outlives_the_cache(shot: bpy.types.Scene, group: Any) -> None:
    bpy.ops.deepdream.dream_frame()
    (first,) = remembered(shot)
    dream = first.path.parents[1] / "0001.exr"
    for seed in range(1, KEPT + 4):
        group.deepdream.seed = seed
        history.remember(group, dream, 1)
    assert [one.settings["seed"] for one in remembered(shot)] == list(range(KEPT + 3, 3, -1))
    assert len(list(first.path.parent.iterdir())) == 2 * KEPT
    bpy.ops.deepdream.clear_cache()
    assert not dream.exists()
    assert len(remembered(shot)) == KEPT


def test_what_cannot_be_written_is_told_and_ends_no_run(shot: bpy.types.Scene, make_job: MakeJob) -> None:
    bpy.ops.deepdream.dream_frame()
    (first,) = remembered(shot)
    folder = first.path.parent
    shutil.rmtree(folder)
    folder.write_bytes(b"in the way")
    job = make_job(shot, [1, 2], output=None)
    assert any("history" in note for note in notes(job))
    assert (folder.parent / "0002.exr").is_file()


def test_a_batch_leaves_none(shot: bpy.types.Scene, make_job: MakeJob) -> None:
    run(make_job(shot, reuse_captures=True))
    assert remembered(shot) == []


def test_what_is_gone_is_told(shot: bpy.types.Scene, group: Any) -> None:
    settings = group.deepdream
    settings.guide = bpy.data.images.new("Guide", 8, 8)
    regions.add_region(group)
    settings.regions[0].mask = bpy.data.images.new("Mask", 8, 8)
    settings.regions[0].layers = "_blocks.4"
    bpy.ops.deepdream.dream_frame()
    settings.regions[0].layers = ""
    (one,) = remembered(shot)
    assert history.restore(one, settings) == []
    assert settings.regions[0].layers == "_blocks.4"
    bpy.data.images.remove(bpy.data.images["Guide"])
    regions.remove_region(group, 0)
    assert history.restore(one, settings) == ["the guide 'Guide' is gone", "region 1 was removed"]


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"steps": 1e9}},
        {"settings": {}},
        {"settings": 3},
        {"words": {"source": "image"}},
        {"words": {"source": "elsewhere", "fade": 0.0, "endless": False}},
        {"words": {"source": "image", "fade": 2.0, "endless": False}},
        {"regions": [7]},
        {"regions": {"socket": ""}},
        {"history": 2},
        {"when": "soon"},
        {"when": 10**400},
        {"frame": float("inf")},
        {"images": {"guide": "\ud800"}},
    ],
)
def test_damaged_history_is_passed_over(shot: bpy.types.Scene, group: Any, change: dict[str, object]) -> None:
    bpy.ops.deepdream.dream_frame()
    (one,) = remembered(shot)
    data = json.loads(one.path.read_text())
    if change.get("settings") and change["settings"] != 3:
        change = {"settings": data["settings"] | change["settings"]}
    one.path.write_text(json.dumps(data | change))
    history._read.cache_clear()
    before = asked(group.deepdream)
    with pytest.raises(SettingsError):
        history.restore(one, group.deepdream)
    assert asked(group.deepdream) == before
    assert remembered(shot) == []


def test_a_node_without_history_says_so(shot: bpy.types.Scene) -> None:
    with pytest.raises(RuntimeError, match="remembers no such dream"):
        bpy.ops.deepdream.restore_dream()
