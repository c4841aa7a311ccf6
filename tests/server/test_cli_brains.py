# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream brains` on a folder of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blender_deepdream.engine import pull as pulling
from blender_deepdream.engine import zoo
from blender_deepdream.server import cli
from tests.engine.small_brains import DESCRIPTION, small_card, small_tensors
from tests.engine.test_pull import FakeOffer

from .process import png

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("DEEPDREAM_DATA", str(tmp_path / "data"))

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([*map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def stocked(run: Run) -> Run:
    zoo.library().add(small_card(), small_tensors(), DESCRIPTION)
    return run


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_list_of_what_is_here_and_what_can_be_had(stocked: Run) -> None:
    (zoo.library().folder / "cut.safetensors").write_bytes(b"cut")
    code, said, _ = stocked("brains", "list")
    assert code == 0
    assert "small" in said
    assert "18.8 MB" in said
    assert "damaged: cut.safetensors" in said
    assert "googlenet" in said
    brains = lines(stocked("brains", "--json")[1])
    assert [brain.get("name") for brain in brains] == ["lite0", "small", None]
    assert "cut.safetensors" in brains[2]["damaged"]


def test_show_tells_all(stocked: Run) -> None:
    _, said, _ = stocked("brains", "show", "small")
    for wanted in (
        "CC0-1.0",
        "random numbers",
        "BGR",
        "circle, square, star",
        '"seed": 7',
        "* relu1",
        "8 channels",
        "blots",
    ):
        assert wanted in said
    (details,) = lines(stocked("brains", "show", "small", "--json")[1])
    assert details["layer_details"][0] == {"name": "conv1", "channels": 8, "stride": 2, "dreams": "edges"}
    assert details["classes"] == ["circle", "square", "star"]


def test_out_to_a_file_and_in_again(stocked: Run, tmp_path: Path) -> None:
    file = tmp_path / "given.safetensors"
    assert stocked("brains", "export", "small", file)[0] == 0
    code, _, problem = stocked("brains", "import", file)
    assert (code, "--name" in problem, "--replace" in problem) == (2, True, True)
    assert stocked("brains", "import", file, "--replace")[0] == 0
    assert stocked("brains", "import", file, "--name", "other", "--json")[0] == 0
    assert stocked("brains", "remove", "other") == (0, "other: removed\n", "")
    assert stocked("brains", "remove", "other")[0] == 2
    assert stocked("brains", "import", file, "--name", "../other")[0] == 2


def test_a_dream_with_a_brain_of_the_library_and_of_a_file(stocked: Run, tmp_path: Path) -> None:
    image, file = tmp_path / "in.png", tmp_path / "given.safetensors"
    image.write_bytes(png(40, 30))
    stocked("brains", "export", "small", file)
    for brain, out in (("small", "one.png"), (file, "two.png")):
        few = ["--octaves=1", "--steps=1", "--threads=1"]
        code, _, said = stocked("dream", image, tmp_path / out, "--brain", brain, *few)
        assert code == 0, said
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_pull_says_what_it_fetches_and_asks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "offer", lambda name: FakeOffer())
    code, said, problem = run("brains", "pull", "small")
    assert code == 2
    assert "CC0-1.0" in said
    assert "nowhere.invalid" in said
    assert "--yes" in problem
    for answer, wanted in (("n\n", 1), ("\n", 1), ("y\n", 0)):
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)
        assert run("brains", "pull", "small")[0] == wanted
    code, said, problem = run("brains", "pull", "small", "--yes", "--replace", "--json")
    taken = run("brains", "pull", "small", "--yes")[2]
    assert ("--name" in taken, "--replace" in taken) == (False, True), "a brain is pulled under one name"
    offered, pulled = lines(said)
    assert (code, problem) == (0, "")
    assert offered["offer"]["licence"] == "CC0-1.0"
    assert pulled["pulled"]["name"] == "small"


@pytest.mark.parametrize("more", [["--mean", "mean.binaryproto"], ["--licence=CC0-1.0"], ["--every-branch"]])
def test_what_only_a_caffe_network_can_be_told_is_refused(stocked: Run, tmp_path: Path, more: list[str]) -> None:
    file = tmp_path / "given.safetensors"
    stocked("brains", "export", "small", file)
    code, _, problem = stocked("brains", "import", file, "--name=other", *more)
    assert code == 2
    assert f"{more[0].partition('=')[0]} is for Caffe networks" in problem


@pytest.mark.parametrize("files", [["a.safetensors", "b", "c"], ["net.caffemodel"], ["no.prototxt", "no.caffemodel"]])
def test_files_that_are_no_brain(run: Run, files: list[str]) -> None:
    code, said, problem = run("brains", "import", *files)
    assert code in (1, 2)
    assert said == ""
    assert "deepdream:" in problem
