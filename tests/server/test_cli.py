# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as people and scripts run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import KNOBS
from blender_deepdream.server import cli

from .process import ROOT, png

COMMAND = [sys.executable, "-m", "blender_deepdream.server"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_dream(image: Path) -> None:
    ended = run("dream", image, image.with_name("out.exr"), "--octaves", 2, "--steps=1", "--layer", "_blocks.4=0.5")
    assert ended.returncode == 0, ended.stderr
    assert "out.exr: 48 x 32 pixels" in ended.stdout
    assert "octave 2/2, step 1/1" in ended.stderr
    assert read_image(image.with_name("out.exr")).width == 48


def test_a_dream_for_machines(image: Path) -> None:
    mask = image.with_name("mask.png")
    mask.write_bytes(png(4, 4))
    out = image.with_name("out.png")
    ended = run(
        "dream",
        image,
        out,
        "--octaves=1",
        "--steps=2",
        "--mask",
        mask,
        "--color-space",
        "sRGB",
        "--threads=1",
        "--json",
    )
    assert ended.returncode == 0, ended.stderr
    *progress, done = map(json.loads, ended.stdout.splitlines())
    assert [line["progress"]["step"] for line in progress] == [1, 2]
    assert done["done"] == {"image": str(out), "width": 48, "height": 32, "seconds": done["done"]["seconds"]}
    assert ended.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c(image: Path) -> None:
    out = image.with_name("out.exr")
    command = [*COMMAND, "dream", str(image), str(out), "--steps=1000", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        last = process.stdout.read().splitlines()[-1]
        assert process.wait(5) == 1
        assert json.loads(last)["error"]["code"] == "cancelled"
        assert process.stderr.read() == ""
    assert [path.name for path in image.parent.iterdir()] == ["in.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "COMMAND"),
        (["fly"], 2, "fly"),
        (["dream"], 2, "IN"),
        (["dream", "missing.png", "out.png"], 2, "missing.png"),
        (["dream", "missing.png", "no/such/folder/out.png"], 2, "folder"),
        (["dream", "missing.png", "out.png", "--steps", "many"], 2, "steps"),
        (["dream", "missing.png", "out.png", "--steps", "0"], 2, "1 to 1000"),
        (["dream", "missing.png", "out.png", "--brain", "nobody"], 2, "lite0"),
        (["dream", "missing.png", "out.png", "--color-space", "CMYK"], 2, "'CMYK' is none of: auto, Linear Rec.709"),
        (["dream", "missing.png", "out.png", "--device", "abacus"], 2, "abacus"),
        (["dream", "missing.png", "out.png", "--threads", "-1"], 2, "-1"),
        (["brains", "show", "nobody"], 2, "lite0"),
        (["brains", "remove", "lite0"], 2, "built in"),
        (["brains", "pull", "nothing"], 2, "googlenet"),
        (["brains", "import", "one.prototxt"], 2, "caffemodel"),
        (["brains", "import", "missing.safetensors"], 2, "missing.safetensors"),
        (["dream", "missing.png", "out.png", "--brain", "missing.safetensors"], 2, "missing.safetensors"),
        (["serve", "--port", "x"], 2, "x"),
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
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert cli.main([*arguments, "--json"]) == code
    printed = capsys.readouterr()
    assert set(json.loads(printed.out)["error"]) == {"code", "message", "hint"}
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--layer", "nowhere"], "_blocks.9"),
        (["--layer", "_blocks.9:112"], "0 to 111"),
        (["--layer", "class:peacok"], "peacock"),
        (["--layer", "_blocks.9@9"], "never dreams"),
        (["--layer", "nobody::_blocks.9"], "lite0"),
        (["--objective", "direction"], "needs channels"),
        (["--objective", "guide-dot"], "needs a guide"),
        (["--objective", "l2", "--guide", "in.png"], "no use of a guide"),
        (["--guide", "missing.png"], "missing.png"),
        (["--objective", "luck"], "guide-cosine"),
        (["--tile", "32"], "at least 128"),
        (["--depth", "half"], "depth half is for .exr"),
        (["--depth", "12"], "'12' is none of: 8, 16, half, float"),
    ],
)
def test_what_the_engine_cannot_do_is_said(
    arguments: list[str], said: str, image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(image.parent)
    assert cli.main(["dream", "in.png", "out.png", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not Path("out.png").exists()


def test_a_folder_in_the_way_is_said_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["dream", "missing.png", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder in which nobody can make a file: /proc")
def test_a_folder_that_cannot_be_written_is_said_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dream", "missing.png", "/proc/out.png"]) == 1
    assert "/proc/out.png cannot be written" in capsys.readouterr().err


def test_a_dream_of_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert cli.main(["dream", "clouds:40x24", str(out), "--octaves=1", "--steps=1", "--seed=5"]) == 0
    assert read_image(out).pixels.shape == (24, 40, 3)
    assert cli.main(["dream", "clouds:0x24", str(out)]) == 2


def test_a_preview(image: Path) -> None:
    out, seen = image.with_name("out.png"), image.with_name("seen.jpg")
    asked = ["dream", str(image), str(out), "--octaves=1", "--steps=80", "--threads=1", "--preview"]
    assert cli.main([*asked, str(image.with_name("seen.png"))]) == 2
    assert not out.exists()
    assert cli.main([*asked, str(seen)]) == 0
    assert (read_image(seen).width, read_image(seen).height) == (48, 32)
    assert sorted(path.name for path in image.parent.iterdir()) == ["in.png", "out.png", "seen.jpg"]


def test_a_guide(image: Path) -> None:
    out = image.with_name("out.png")
    assert cli.main(["dream", str(image), str(out), "--guide", str(image), "--octaves=1", "--steps=1"]) == 0
    guided = out.read_bytes()
    assert cli.main(["dream", str(image), str(out), "--octaves=1", "--steps=1"]) == 0
    assert out.read_bytes() != guided


def test_a_guide_of_one_color_is_said(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blank, out = image.with_name("blank.exr"), image.with_name("out.png")
    write_image(Image(np.full((8, 9, 3), 7.5, np.float32)), blank)
    for arguments in (["--guide", str(blank)], ["--region", str(image), "-", f"guide={blank}"]):
        assert cli.main(["dream", str(image), str(out), "--octaves=1", "--steps=1", *arguments]) == 2
        assert "blank.exr is of one colour" in capsys.readouterr().err
    assert not out.exists()


def test_depths(image: Path) -> None:
    quick = ["--octaves=1", "--steps=1"]
    linear, display = image.with_name("out.exr"), image.with_name("out.png")
    assert cli.main(["dream", str(image), str(linear), *quick, "--depth=half"]) == 0
    assert cli.main(["dream", str(image), str(display), *quick, "--depth=16"]) == 0
    light = read_image(linear).in_space(ColorSpace.SRGB).pixels
    assert abs(light - read_image(display).pixels).max() < 0.002, "float files are scene-linear"


def test_regions(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask, out = str(image.with_name("mask.png")), image.with_name("out.png")
    Path(mask).write_bytes(png(4, 4))
    quick = ["--octaves=1", "--steps=1"]
    assert cli.main(["dream", str(image), str(out), *quick]) == 0
    seen = {out.read_bytes()}
    for region in ([mask, "_blocks.1=2"], [mask, "-", f"guide={image}"], [mask, "class:peacock", "objective=mean"]):
        assert cli.main(["dream", str(image), str(out), *quick, "--region", *region]) == 0
        seen.add(out.read_bytes())
    assert len(seen) == 4
    capsys.readouterr()
    for wrong in ([mask], [mask, "-", "size=3"], [mask, "-", "guide"], [mask, "a=b"], ["missing.png", "-"]):
        assert cli.main(["dream", str(image), str(out), *quick, "--region", *wrong]) == 2
        assert capsys.readouterr().err


def test_a_dream_in_tiles_tells_of_each(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(png(400, 32))
    out = str(image.with_name("out.png"))
    few = ["--octaves=1", "--steps=1", "--layer=_blocks.4", "--jitter=0"]
    assert cli.main(["dream", str(image), out, *few, "--tile=128", "--json"]) == 0
    *progress, _ = map(json.loads, capsys.readouterr().out.splitlines())
    fractions = [line["progress"]["fraction"] for line in progress]
    assert len(fractions) > 3
    assert fractions == sorted(fractions)


def test_brains(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEEPDREAM_DATA", str(tmp_path))
    for arguments in (["brains"], ["brains", "list"], ["brains", "show", "lite0"]):
        assert cli.main(arguments) == 0
        assert "lite0" in capsys.readouterr().out
        for flagged in ([*arguments, "--json"], ["brains", "--json", *arguments[1:]]):
            assert cli.main(flagged) == 0
            assert json.loads(capsys.readouterr().out)["name"] == "lite0"


def test_help_names_every_knob(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["dream", "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for knob in KNOBS.values():
        assert f"--{knob.name.replace('_', '-').removesuffix('s' if knob.kind == 'layers' else '')} " in text
        if knob.kind in ("int", "float", "choice"):
            assert f"default: {knob.default})" in text
        assert all(choice in text for choice in knob.choices)


def test_help_is_quick() -> None:
    start = time.perf_counter()
    ended = run("--help")
    assert ended.returncode == 0
    assert time.perf_counter() - start < 1, "nothing heavy is imported for it"
    loaded = "import sys, blender_deepdream.server.cli; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {"torch", "fastapi", "uvicorn", "numpy"} & set(modules.split())


def test_version() -> None:
    assert run("--version").stdout.startswith("deepdream ")
