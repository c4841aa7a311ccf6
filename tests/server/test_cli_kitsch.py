# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_deepdream.engine import atlas, kitsch
from blender_deepdream.server import cli

from .process import png


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two images, one of them twice, and a yardstick of a moment."""
    monkeypatch.setattr(kitsch, "YARDSTICK_LAYERS", ("_blocks.0", "_blocks.1"))
    monkeypatch.setattr(atlas, "DREAM_SIDE", 48)
    monkeypatch.setattr(kitsch, "SCALES", (1.0,))
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(png(48, 32))
    Path("b.png").write_bytes(png(32, 96))
    return ["a.png", "b.png", "a.png", "--cache=cache", "--threads=1"]


def test_images_and_their_distance(images: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kitsch", *images]) == 0
    printed = capsys.readouterr().out
    assert printed.count("classes") == printed.count("families") == 2
    assert "on average (cosine, _blocks.15 of lite0)" in printed
    assert "a.png and b.png" in printed


def test_the_same_for_machines(images: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kitsch", *images, "--json", "--top=3"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    first, second = (line["image"] for line in lines if "image" in line)
    assert (first["path"], second["path"]) == ("a.png", "b.png")
    assert len(first["classes"]) == 3
    assert sum(first["families"].values()) == pytest.approx(1, abs=1e-4)
    distance = lines[-1]["distance"]
    assert distance["pairs"] == [["a.png", "b.png", distance["mean"]]]
    assert 0 < distance["same_layer"] < distance["other_layer"]


def test_one_image_has_no_distance(images: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kitsch", images[0]]) == 0
    assert "distance" not in capsys.readouterr().out


def test_what_is_no_image_is_said_and_the_others_are_looked_at(
    images: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes.txt").write_text("no image")
    assert cli.main(["kitsch", "missing.png", "notes.txt", *images]) == 2
    printed = capsys.readouterr()
    assert "on average" in printed.out
    assert "missing.png" in printed.err
    assert "notes.txt is not" in printed.err
    assert "2 of 4 images" in printed.err
    assert cli.main(["kitsch", "missing.png", "a.png", "--json"]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["error", "image", "error"]


@pytest.mark.parametrize(("arguments", "said"), [([], "IMG"), (["a.png", "--brain=nobody"], "lite0")])
def test_bad_usage_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kitsch", *arguments]) == 2
    assert said in capsys.readouterr().err
