# SPDX-License-Identifier: GPL-3.0-or-later
"""Endless zooms from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_deepdream.engine.images import read_image
from blender_deepdream.server import cli, endless

from .process import png

QUICK = ["--octaves=1", "--steps=1", "--layer=_blocks.4", "--json"]


def zoom(image: Path, count: int, capsys: pytest.CaptureFixture[str], *more: str, name: str = "z_%02d.png") -> int:
    """Dream frames, and say how many were dreamed anew."""
    assert cli.main(["dream", str(image), str(image.with_name(name)), f"--frames={count}", *QUICK, *more]) == 0
    *progress, done = map(json.loads, capsys.readouterr().out.splitlines())
    fractions = [line["progress"]["fraction"] for line in progress]
    assert fractions == sorted(fractions)
    dreamed: int = done["done"]["dreamed"]
    return dreamed


def frames(image: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(image.parent.glob("z_*.png"))]


def test_each_frame_follows_from_the_one_before(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert zoom(image, 3, capsys) == 3
    pictures = [read_image(image.with_name(f"z_{number:02d}.png")).pixels for number in (1, 2, 3)]
    still = read_image(image).pixels
    assert abs(pictures[0] - still).mean() < 0.1, "the first frame shows the still as it lies"
    assert abs(pictures[1] - pictures[0]).mean() > 0.02
    assert len({picture.tobytes() for picture in pictures}) == 3
    assert len(list(image.parent.glob("z_.*.exr"))) == 1, "one frame's floats are kept"


def test_a_run_goes_on_where_it_stopped_with_the_same_bits(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zoom(image, 4, capsys)
    expected = frames(image)
    for path in image.parent.glob("z_*"):
        path.unlink()
    assert zoom(image, 2, capsys) == 2
    assert zoom(image, 2, capsys) == 0
    assert zoom(image, 4, capsys) == 2
    assert frames(image) == expected
    assert zoom(image, 3, capsys) == 0
    image.with_name("z_02.png").unlink()
    assert zoom(image, 4, capsys) == 4, "a frame that is missing can be had from the start only"
    assert frames(image) == expected


def test_another_job_is_another_zoom(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert zoom(image, 1, capsys) == 1
    assert zoom(image, 1, capsys, "--seed=3") == 1
    assert zoom(image, 1, capsys, "--seed=3", "--zoom=1.1") == 1
    assert zoom(image, 1, capsys, "--seed=3", "--zoom=1.1") == 0
    image.write_bytes(png(48, 32, 5))
    assert zoom(image, 1, capsys, "--seed=3", "--zoom=1.1") == 1


def test_a_run_that_is_stopped_keeps_whole_frames(
    image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    zoom(image, 3, capsys)
    expected = frames(image)
    for path in image.parent.glob("z_*"):
        path.unlink()

    def stop(frames: endless.Frames, number: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(endless, "_forget", stop)
        arguments = ["dream", str(image), str(image.with_name("z_%02d.png")), "--frames=3", *QUICK]
        assert cli.main(arguments) == 1
    capsys.readouterr()
    assert len(frames(image)) == 1
    assert zoom(image, 3, capsys) == 2
    assert frames(image) == expected


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("z.png", [], "OUT_%04d.png"),
        ("z_%d_%d.png", [], "OUT_%04d.png"),
        ("z_%s.png", [], "OUT_%04d.png"),
        ("100%_%04d.png", [], "OUT_%04d.png"),
        ("z_%04d.webp", [], "known image format"),
        ("z_%04d.jpg", ["--depth=half"], "cannot have depth half"),
        ("z_%04d.png", ["--frames=0"], "from 1"),
    ],
)
def test_what_cannot_be_done_is_said(
    name: str, more: list[str], said: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["dream", str(image), str(image.with_name(name)), "--frames=2", "--octaves=1", "--steps=1", *more]
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in image.parent.iterdir()] == ["in.png"]
