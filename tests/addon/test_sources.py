# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node dreams from: its image, an image of nothing, or the dream of the frame before."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon.cache import Cache
from blender_deepdream.addon.changes import file_hash
from blender_deepdream.addon.pipeline import dream_frames

from .conftest import MakeJob, dream_path, notes, only_node, outputs, pixels, record, run


def test_an_image_of_nothing_has_the_size_of_the_image(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    dreaming.render.resolution_percentage = 50
    settings = only_node(dreaming).group.deepdream
    settings.source, settings.strength = "hue", 0
    run(make_job(dreaming))
    first = pixels(tmp_path / "out" / "0001.exr")
    assert first.shape == (24, 32, 4)
    assert (first[..., 3] == 1).all()
    settings.seed = 1
    run(make_job(dreaming))
    assert np.abs(pixels(tmp_path / "out" / "0001.exr") - first)[..., :3].mean() > 0.01


def test_another_source_is_another_dream(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    settings = only_node(dreaming).group.deepdream
    jobs = []
    for source in ("image", "clouds", "noise", "image"):
        settings.source = source
        run(make_job(dreaming, reuse_captures=True))
        jobs.append(record(tmp_path, 1)["job"])
    assert jobs[0] == jobs[3]
    assert len(set(jobs)) == 3


def test_kinds_of_nothing_keep_their_places(dreaming: bpy.types.Scene) -> None:
    """Blender's files know a choice by its place."""
    items = only_node(dreaming).group.deepdream.bl_rna.properties["source"].enum_items
    assert [item.identifier for item in items][:6] == ["image", "clouds", "dusk", "noise", "gradient", "hue"]


@pytest.fixture
def endless(dreaming: bpy.types.Scene) -> bpy.types.Scene:
    settings = only_node(dreaming).group.deepdream
    settings.endless, settings.zoom = True, 1.2
    dreaming.frame_end = 4
    return dreaming


def test_each_frame_feeds_on_the_one_before(endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    assert notes(make_job(endless, [1, 2, 3])) == []
    assert record(tmp_path, 1)["before"] is None
    for frame in (2, 3):
        assert record(tmp_path, frame)["before"] == file_hash(dream_path(tmp_path, frame - 1))
    dreams = [pixels(dream_path(tmp_path, frame)) for frame in (1, 2, 3)]
    assert np.abs(dreams[1] - dreams[0]).mean() > 0.005
    assert len({dream.tobytes() for dream in dreams}) == 3


def test_the_first_frame_lies_still(endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    settings = only_node(endless).group.deepdream
    run(make_job(endless, [1]))
    moved = outputs(tmp_path)
    settings.zoom, settings.endless = 1, False
    run(make_job(endless, [1]))
    assert outputs(tmp_path) == moved


def test_a_missing_frame_is_dreamed_again_alone(endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(endless, [1, 2, 3], reuse_captures=True))
    whole = outputs(tmp_path)
    times = {frame: dream_path(tmp_path, frame).stat().st_mtime_ns for frame in (1, 2, 3)}
    dream_path(tmp_path, 2).unlink()
    (tmp_path / "out" / "0002.exr").unlink()
    assert notes(make_job(endless, [1, 2, 3], reuse_captures=True)) == []
    assert outputs(tmp_path) == whole
    again = [frame for frame in times if dream_path(tmp_path, frame).stat().st_mtime_ns != times[frame]]
    assert again == [2]


def test_stopped_and_started_again_it_ends_with_the_same_frames(
    endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job(endless, [1, 2, 3, 4]))
    whole = outputs(tmp_path)
    elsewhere = {
        "cache": Cache(tmp_path / "other"),
        "output": lambda frame: tmp_path / "again" / f"{frame:04d}.exr",
        "reuse_captures": True,
    }
    work = dream_frames(make_job(endless, [1, 2, 3, 4], **elsewhere))
    for event in work:
        if event.frame == 3 and event.stage == "dream":
            break
    work.close()
    run(make_job(endless, [1, 2, 3, 4], **elsewhere))
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == whole


def test_a_range_in_mid_shot_goes_on_from_the_disk(endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(endless, [1, 2, 3]))
    whole = outputs(tmp_path)
    dream_path(tmp_path, 3).unlink()
    assert notes(make_job(endless, [3], reuse_captures=True)) == []
    assert outputs(tmp_path) == whole


def test_a_range_in_mid_shot_without_the_frame_before_says_so(
    endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    (note,) = notes(make_job(endless, [3, 4]))
    assert "Frame 3" in note
    assert "frame 2 has no dream" in note
    assert record(tmp_path, 3)["before"] is None
    assert record(tmp_path, 4)["before"] == file_hash(dream_path(tmp_path, 3))

    only_node(endless).group.deepdream.seed = 8
    (note,) = notes(make_job(endless, [4]))
    assert "today's settings" in note


def test_what_moves_may_be_keyframed(endless: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    settings = only_node(endless).group.deepdream
    settings.strength = 0
    for frame, zoom in ((1, 1.0), (2, 1.0), (3, 1.5)):
        settings.zoom = zoom
        settings.keyframe_insert("zoom", frame=frame)
    run(make_job(endless, [1, 2, 3]))
    first, second, third = (pixels(dream_path(tmp_path, frame)) for frame in (1, 2, 3))
    np.testing.assert_array_equal(first, second)
    assert np.abs(third - second).mean() > 0.01
