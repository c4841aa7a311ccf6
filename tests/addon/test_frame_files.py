# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of finished frames: Overwrite and Placeholders, as Blender has them under Output."""

from __future__ import annotations

from pathlib import Path

import bpy

from blender_deepdream.addon.pipeline import dream_frames

from .conftest import MakeJob, only_node, outputs, run


def test_a_file_that_is_there_is_left_alone_without_overwrite(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0001.exr").write_bytes(b"the artist's")
    job = make_job(dreaming, [1, 2], overwrite=False)
    assert run(job).count("finished") == 2
    written = outputs(tmp_path)
    assert written["0001.exr"] == b"the artist's"
    assert len(written["0002.exr"]) > 1000
    dreams = tmp_path.glob("cache/dream/*/*.exr")
    assert [path.name for path in dreams] == ["0002.exr"], "nothing is dreamed for it"


def test_3d_is_not_rendered_ahead_for_a_frame_that_is_left_alone(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0002.exr").touch()
    run(make_job(dreaming, [1, 2], overwrite=False))
    assert [path.name for path in tmp_path.glob("cache/raw/**/*.exr")] == ["0001.exr"]


def test_it_is_written_again_with_overwrite(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0001.exr").write_bytes(b"the artist's")
    run(make_job(dreaming))
    assert len(outputs(tmp_path)["0001.exr"]) > 1000


def test_what_writes_no_frames_takes_none_for_finished(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0001.exr").touch()
    run(make_job(dreaming, overwrite=False, only_stage="dream", placeholders=True))
    assert list(tmp_path.glob("cache/dream/*/0001.exr"))


def test_a_placeholder_stands_for_a_frame_in_the_making(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    steps = dream_frames(make_job(dreaming, placeholders=True))
    sizes = {event.stage: len(outputs(tmp_path).get("0001.exr", b"none")) for event in steps}
    assert sizes["capture"] == sizes["transfer"] == 0
    assert sizes["finished"] > 1000


def test_a_cancelled_frame_leaves_no_placeholder(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    only_node(dreaming).group.deepdream.steps = 1000
    steps = dream_frames(make_job(dreaming, placeholders=True))
    for event in steps:
        if event.stage == "dream":
            assert list(outputs(tmp_path)) == ["0001.exr"]
            break
    steps.close()
    assert not outputs(tmp_path)
