# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image as Pillow

from blender_deepdream.server import cli

from .process import png


def size_of(path: Path) -> tuple[int, int]:
    with Pillow.open(path) as picture:
        return picture.size


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Two small early cells."""
    out = str(tmp_path / "atlas.png")
    layers = ["--layers", "_blocks.0, _blocks.1", "--size=32"]
    return ["atlas", "lite0", out, *layers, "--cache", str(tmp_path / "cache"), "--threads=1"]


def test_a_sheet_and_its_cells(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*arguments, "--cells", str(tmp_path / "cells")]) == 0
    printed = capsys.readouterr()
    assert "atlas.png: 2 cells" in printed.out
    assert "100%  cell 2" in printed.err
    assert size_of(tmp_path / "atlas.png")[0] > 64
    cells = sorted((tmp_path / "cells").iterdir())
    assert [path.name for path in cells] == ["001__blocks.0.jpg", "002__blocks.1.jpg"]
    assert size_of(cells[0]) == (32, 32)
    sheet = (tmp_path / "atlas.png").read_bytes()
    assert cli.main([*arguments, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["done"]["cells"] == ["_blocks.0", "_blocks.1"], "all cells were kept: no progress"
    assert (tmp_path / "atlas.png").read_bytes() == sheet


def test_an_image_as_the_source(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png(48, 32))
    assert cli.main([*arguments, "--source", str(tmp_path / "in.png")]) == 0
    image = (tmp_path / "atlas.png").read_bytes()
    assert cli.main([*arguments, "--source", "clouds"]) == 0
    assert (tmp_path / "atlas.png").read_bytes() != image


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody", "out.png"], 2, "lite0"),
        (["lite0", "out.gif"], 2, ".png"),
        (["lite0", "no/folder/out.png"], 2, "folder"),
        (["lite0", "out.png", "--layers", "_blocks.77"], 2, "_blocks.7"),
        (["lite0", "out.png", "--layers", "_blocks.7", "--channels", "0"], 2, "1 to 512"),
        (["lite0", "out.png", "--channels", "2"], 2, "one layer"),
        (["lite0", "out.png", "--source", "missing.png"], 2, "missing.png"),
        (["lite0", "out.png", "--source", "text.txt"], 2, "not an EXR"),
        (["lite0", "out.png", "--size", "8"], 2, "32"),
        (["lite0", "out.png", "--layers", "_blocks.0", "--size=32", "--cache", "text.txt"], 1, "cannot be written"),
    ],
)
def test_what_goes_wrong_is_said(
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("no image")
    assert cli.main(["atlas", *arguments, "--json"]) == code
    error = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert said in error["message"] + error["hint"]
    assert not Path("out.png").exists()
