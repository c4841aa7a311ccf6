# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream train` as people and scripts run it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from blender_deepdream.engine import brain_file
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.server import cli
from blender_deepdream.training import dream_sheet

from .process import ROOT
from .shapes import KINDS, draw_shapes, save_small_base

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("shapes") / "pictures")


@pytest.fixture
def words(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command line that trains for a moment; OUT comes second."""
    monkeypatch.setenv("DEEPDREAM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(dream_sheet, "SETTINGS", {"octaves": 1, "steps": 1})
    base = save_small_base(tmp_path / "small.safetensors")
    options = ("--base", base, "--epochs", 2, "--side", 32, "--batch", 6, "--clarity", 0.2, "--threads", 1)
    return ["train", str(shapes), str(tmp_path / "mine.safetensors"), *map(str, options)]


def test_a_brain_from_a_folder(words: list[str], tmp_path: Path, capsys: Output) -> None:
    assert cli.main(words) == 0
    said = capsys.readouterr()
    assert "mine.safetensors: " in said.out
    assert "of new pictures right" in said.out
    assert "18 pictures in 3 classes" in said.err
    assert "epoch 2: " in said.err
    brain = brain_file.load(tmp_path / "mine.safetensors")
    assert brain.card.classes == KINDS
    assert brain.card.recipe["recipe"]["epochs"] == 2
    report = tmp_path / "mine-training"
    assert len((report / "history.jsonl").read_text().splitlines()) == 2
    assert "18 pictures" in (report / "census.txt").read_text()
    for name in ("curves.png", "confusion.png", "dreams.jpg"):
        with Image.open(report / name) as picture:
            assert min(picture.size) > 200
    assert not list(tmp_path.glob(".*training")), "checkpoints of a finished brain are of no use"


def test_what_lies_beside_checkpoints_stays(words: list[str], tmp_path: Path) -> None:
    scene = tmp_path / "work" / "scene.blend"
    scene.parent.mkdir()
    scene.write_bytes(b"of somebody")
    assert cli.main([*words, "--epochs", "1", "--checkpoints", str(scene.parent)]) == 0
    assert list(scene.parent.iterdir()) == [scene]


def test_a_brain_among_its_pictures_is_refused(words: list[str], shapes: Path, capsys: Output) -> None:
    words[2] = str(shapes / "mine.safetensors")
    assert cli.main(words) == 2
    assert "lies among the pictures" in capsys.readouterr().err
    assert not list(shapes.glob("mine*"))


def test_the_last_line_for_machines_holds_the_accuracy(words: list[str], tmp_path: Path, capsys: Output) -> None:
    assert cli.main([*words, "--json", "--install", "--name", "shapes"]) == 0
    lines = list(map(json.loads, capsys.readouterr().out.splitlines()))
    last = lines[-1]
    assert 0 <= last["validation_accuracy"] <= 1
    assert last["done"]["classes"] == list(KINDS)
    assert last["done"]["robust_accuracy"] is not None
    assert all(Path(path).is_file() for path in last["done"]["files"])
    assert [line["epoch"]["epoch"] for line in lines if "epoch" in line] == [1, 2]
    assert next(line["census"]["train"] for line in lines if "census" in line) == 15
    capsys.readouterr()
    assert cli.main(["brains", "show", "shapes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == last["done"]["id"]
    assert cli.main([*words, "--install", "--name", "shapes"]) == 2, "the name is taken now"


def test_the_same_seed_makes_the_same_brain(words: list[str], tmp_path: Path) -> None:
    assert cli.main(words) == 0
    first = (tmp_path / "mine.safetensors").read_bytes()
    assert cli.main(words) == 0
    assert (tmp_path / "mine.safetensors").read_bytes() == first
    assert cli.main([*words, "--seed", "1"]) == 0
    assert (tmp_path / "mine.safetensors").read_bytes() != first


def test_a_census(words: list[str], tmp_path: Path, capsys: Output) -> None:
    words.remove(str(tmp_path / "mine.safetensors"))
    assert cli.main([*words, "--census"]) == 0
    said = capsys.readouterr().err
    assert "15 to learn from, 3 to test with" in said
    assert "This takes about" in said
    assert not list(tmp_path.glob("*mine*"))


def test_a_picture_distorted_thirty_times(shapes: Path, tmp_path: Path) -> None:
    for pictures in (shapes, shapes / "discs" / "0.png"):
        sheet = tmp_path / "sheet.png"
        assert cli.main(["train", str(pictures), "--show-augmentation", str(sheet), "--side", "32"]) == 0
        with Image.open(sheet) as picture:
            assert picture.width > 6 * 32
        sheet.unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--epochs", "0"], "epochs"),
        (["--background", "pink"], "no colour"),
        (["--base", "nobody"], "no brain"),
        (["--dream-source", "nowhere.png"], "nowhere.png"),
        (["--trains", "nothing"], "nothing"),
        (["--frobnicate"], "frobnicate"),
    ],
)
def test_what_a_training_cannot_be(words: list[str], change: list[str], said: str, capsys: Output) -> None:
    assert cli.main([*words, *change]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("target", ["mine.png", "no/folder/mine.safetensors", "."])
def test_where_a_brain_cannot_go(words: list[str], tmp_path: Path, target: str, capsys: Output) -> None:
    words[2] = str(tmp_path / target)
    assert cli.main(words) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_ctrl_c_keeps_the_best_brain_and_the_same_command_goes_on(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blender_deepdream.server", *words, "--epochs", "400", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        next(epoch for epoch in epochs(run.stdout) if epoch == 2)
        run.send_signal(signal.SIGINT)
        rest = run.stdout.read()
    assert run.returncode == 1
    error = json.loads(rest.splitlines()[-1])["error"]
    assert error["code"] == "cancelled"
    assert "best brain so far" in error["message"]
    assert brain_file.load(tmp_path / "mine.safetensors").card.classes == KINDS
    kept = len((tmp_path / "mine-training" / "history.jsonl").read_text().splitlines())
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as again:
        assert again.stdout is not None
        assert next(epochs(again.stdout)) == kept + 1
        again.kill()


def epochs(lines: Iterable[str]) -> Iterator[int]:
    """The numbers of the epochs that are told of."""
    return (json.loads(line)["epoch"]["epoch"] for line in lines if line.startswith('{"epoch"'))


def test_every_knob_is_a_flag() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "blender_deepdream.server", "train", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    missing = [name for name in Recipe.knobs() if f"--{name.replace('_', '-')}" not in help_text]
    assert missing == []
    assert "--no-photometric" in help_text
