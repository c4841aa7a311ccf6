# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_deepdream.engine import atlas, kitsch
from blender_deepdream.server import cli
from blender_deepdream.training import likeness

from .process import png
from .shapes import draw_shapes


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


def test_how_much_of_a_set_is_in_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(likeness, "CROPS", 12)
    own = draw_shapes(tmp_path / "own")
    others = tmp_path / "others"
    others.mkdir()
    for seed in range(6):
        (others / f"{seed}.png").write_bytes(png(48, 48, seed))
    mine, noise = own / "discs" / "0.png", others / "0.png"
    words = ["kitsch", mine, noise, "--against", own, "--others", others, "--threads", 1]
    assert cli.main([*map(str, words), "--json"]) == 0
    *images, told = map(json.loads, capsys.readouterr().out.splitlines())
    shares = {line["image"]["path"]: line["image"]["share"] for line in images}
    assert shares[str(mine)] > 0.8
    assert shares[str(noise)] < 0.2
    assert told["against"]["set_share"] > told["against"]["others_share"]
    assert cli.main(list(map(str, words))) == 0
    assert "kept back" in capsys.readouterr().out
    assert cli.main(["kitsch", str(mine), "--others", str(others)]) == 2
