# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of dreams of surfaces, in this process."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import batch_surface
from blender_deepdream.addon.surface.color_input import dream_factor

SMALL = ("--size", "64", "--views", "4", "--view-size", "64", "--set", "steps=1", "--set", "octaves=1")


@pytest.fixture
def statue(scene: bpy.types.Scene, tmp_path: Path) -> Path:
    """A .blend of two objects without materials, whose names are alike in a file system."""
    scene.deepdream.surface.samples = 1
    bpy.ops.mesh.primitive_cone_add(location=(5, 0, 0))
    bpy.context.object.name = "Statue-2"
    bpy.data.objects["Suzanne"].name = "Statue 2"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "statue.blend"))
    return tmp_path / "statue.blend"


def test_textures_and_a_blend_that_shows_them(
    statue: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [str(statue), "--objects", "Statue 2,Statue-2", "--output", "dreamed", *SMALL, "--json"]
    assert batch_surface.main(arguments) == 0
    *news, end = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert end == {"output": "dreamed", "textures": 2}
    assert news[-1]["fraction"] == 1
    assert all(one != other for one, other in pairwise(news)), "nothing is told twice"
    assert len(list((tmp_path / "dreamed").glob("*.png"))) == 2
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "dreamed/statue.blend"))
    assert all(dream_factor(bpy.data.objects[name].active_material) == 1 for name in ("Statue 2", "Statue-2"))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--objects", "Nobody"], "There is no object 'Nobody'"),
        (["--objects", "Statue 2", "--size", "1"], "Texture Size must be from 64 to 8192"),
        (["--objects", "Statue 2", "--set", "objective=guide-dot"], "needs a guide image"),
        (["--objects", "Statue 2", "--guide", "nowhere.png"], "There is no file nowhere.png"),
        (["--output", "//beside"], "is beside a .blend that was never saved"),
    ],
)
def test_bad_usage_is_said_in_words(
    scene: bpy.types.Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    bpy.data.objects["Suzanne"].name = "Statue 2"
    scene.deepdream.cache = str(tmp_path / "cache")
    assert batch_surface.main(["--output", str(tmp_path / "dreamed"), *arguments]) == 2
    assert error in capfd.readouterr().err


def test_help_is_on_standard_output(scene: bpy.types.Scene, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        batch_surface.main(["--help"])
    assert "--objects" in capfd.readouterr().out
