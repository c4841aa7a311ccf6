# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, in this process; whole runs of scripts/render.py are in tests/e2e."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import batch, node


@pytest.fixture
def shot(scene: bpy.types.Scene, tmp_path: Path) -> Path:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return tmp_path / "shot.blend"


QUICK = ("--add-node", "--set", "steps=1", "--set", "octaves=1", "--frames", "1")


def test_output_pattern(shot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert batch.main([str(shot), *QUICK, "--output", "//out/a_###.png", "--cache", "//cache"]) == 0
    assert (tmp_path / "out" / "a_001.png").is_file()
    assert (tmp_path / "cache" / "raw" / "0001.exr").is_file()
    printed = capfd.readouterr().out.splitlines()
    assert printed[0].startswith("frame 1 (1 of 1): ")
    assert [line.split()[0] for line in printed[1:]] == [
        "3D",
        "server",
        "capture",
        "transfer",
        "dream",
        "composite",
        "other",
        "total",
    ]


def test_json_lines(shot: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert batch.main([str(shot), *QUICK, "--output", "//out/####.exr", "--json"]) == 0
    frame, summary = map(json.loads, capfd.readouterr().out.splitlines())
    assert frame["frame"] == 1
    assert Path(frame["output"]).name == "0001.exr"
    assert summary["frames"] == 1
    assert summary["seconds"]["total"] > 0


def test_time_goes_once(shot: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A frame is rendered while the one before it dreams."""
    words = ("--add-node", "--set", "steps=12", "--frames", "1-4", "--output", "//out/####.exr", "--json")
    assert batch.main([str(shot), *words]) == 0
    seconds = json.loads(capfd.readouterr().out.splitlines()[-1])["seconds"]
    assert seconds.pop("total") == pytest.approx(sum(seconds.values()))
    assert min(seconds.values()) >= 0


def test_regions_by_files(shot: Path, tmp_path: Path) -> None:
    mask = bpy.data.images.new("Mask", 8, 8)
    mask.generated_color = (1, 1, 1, 1)
    mask.filepath_raw, mask.file_format = str(tmp_path / "mask.png"), "PNG"
    mask.save()
    for more in ((), ("--region", str(tmp_path / "mask.png"), "_blocks.2", "objective=mean")):
        assert batch.main([str(shot), *QUICK, "--cache", "//cache", "--output", f"//{len(more)}/#.png", *more]) == 0
    assert (tmp_path / "0" / "1.png").read_bytes() != (tmp_path / "4" / "1.png").read_bytes()


def test_what_must_be_told_is_told(shot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    node.insert_before_output(bpy.context.scene).node_tree.deepdream.endless = True
    bpy.ops.wm.save_mainfile()
    capfd.readouterr()
    assert batch.main([str(shot), *QUICK[1:5], "--frames", "3", "--output", "//out/#.png", "--json"]) == 0
    note, *_ = map(json.loads, capfd.readouterr().out.splitlines())
    assert note["frame"] == 3
    assert "begins anew" in note["note"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--frames", "8-1"], 2, "holds no frame"),
        (["--frames", "1", "--shot", "1"], 2, "not both"),
        (["--shot", "7"], 2, "1 (1-3)"),
        (["--run-in", "-1"], 2, "number of frames"),
        (["--frames", "x"], 2, "no list of frames"),
        (["--set", "steps=many"], 2, "must be a number"),
        (["--set", "steps=0"], 2, "out of range"),
        (["--set", "speed=9"], 2, "no setting 'speed'"),
        (["--set", "steps"], 2, "NAME=VALUE"),
        (["--nonsense"], 2, "nrecognized"),
        (["--frames", "1"], 2, "no DeepDream node"),
        ([*QUICK, "--guide", "nothing.png"], 2, "no file nothing.png"),
        ([*QUICK, "--region", "nothing.png", "_blocks.4"], 2, "no file nothing.png"),
        ([*QUICK, "--region", "nothing.png"], 2, "a mask and layers"),
        ([*QUICK, "--node", "Nobody"], 2, "no DeepDream node 'Nobody'"),
        ([*QUICK, "--set", "layers=_blocks.77"], 2, "_blocks.15"),
        ([*QUICK, "--set", "brain=nobody"], 2, "lite0"),
        ([*QUICK, "--server", "http://127.0.0.1:9", "--token-file", "/nowhere"], 1, "token file"),
        ([*QUICK, "--output", "/proc/no/####.png"], 1, "cannot be written"),
    ],
)
def test_bad_usage_says_so(
    shot: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    assert batch.main([str(shot), *arguments]) == code
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    assert says in lines[0]
    assert "Traceback" not in lines[0]


def test_errors_are_json_too(shot: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert batch.main([str(shot), "--frames", "x", "--json"]) == 2
    error = json.loads(capfd.readouterr().out.splitlines()[-1])["error"]
    assert error["code"] == "frame_range"
    assert error["hint"]


def test_no_such_scene(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert batch.main([str(tmp_path / "none.blend")]) == 2
    assert "There is no file" in capfd.readouterr().err


def test_file_that_is_no_scene(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.blend").write_text("no scene")
    assert batch.main([str(tmp_path / "bad.blend")]) == 2
    assert "not a .blend file" in capfd.readouterr().err
