# SPDX-License-Identifier: GPL-3.0-or-later
"""The training's command line, in this process."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_deepdream.addon import batch_train

from .made_up_server import BRAIN, DONE, SHA, Server, at


@pytest.fixture
def shot(scene: bpy.types.Scene, tmp_path: Path) -> Path:
    bpy.ops.mesh.primitive_cone_add(location=(5, 0, 0))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return tmp_path / "shot.blend"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(name.encode())
    return folder


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], Server]:
    def reach(server: Server) -> Server:
        monkeypatch.setattr(batch_train, "connector_as_told", lambda _: lambda *_: server)
        return server

    return reach


QUICK = ("--render", "count=2", "--render", "side=32", "--render", "samples=1", "--render", "engine=cycles")


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_pictures_are_rendered_of_what_is_named(shot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [str(tmp_path / "set"), "--blend", str(shot), "--objects", "Cone", "Suzanne", *QUICK]
    assert batch_train.main([*arguments, "--render", "lowest=10", "--render", "highest=10", "--json"]) == 0
    names = sorted(str(path.relative_to(tmp_path / "set")) for path in (tmp_path / "set").rglob("*.png"))
    assert names == ["Cone/0001.png", "Cone/0002.png", "Suzanne/0001.png", "Suzanne/0002.png"]
    assert lines(capfd)[-1] == {"rendered": 4, "of": 4, "class": "Suzanne"}
    assert bpy.context.scene.deepdream.dataset.lowest == pytest.approx(0.1745, abs=1e-3), "degrees"


def test_a_training_ends_with_a_line_that_says_what_came_of_it(
    scene: bpy.types.Scene,
    pictures: Path,
    tmp_path: Path,
    serve: Callable[[Server], Server],
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = serve(Server(at(1, said="A class has one image."), at(2, accuracy=0.6), DONE))
    arguments = [
        str(pictures),
        "--name",
        "mine",
        "--set",
        "epochs=3",
        "--report",
        str(tmp_path / "report"),
        "--replace",
    ]
    assert batch_train.main([*arguments, "--json"]) == 0
    *news, result = lines(capfd)
    assert result["validation_accuracy"] == 0.75
    assert result["brain"]["name"] == "mine"
    assert Path(result["report"]["dreams"]).is_file()
    assert {"note": "A class has one image."} in news
    (request,) = server.asked
    assert (request.name, request.recipe.epochs, request.replace) == ("mine", 3, True)


def test_ctrl_c_stops_it_with_what_it_has(
    scene: bpy.types.Scene,
    pictures: Path,
    tmp_path: Path,
    serve: Callable[[Server], Server],
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Interrupting(Server):
        def preview(self, job: str) -> bytes:
            time.sleep(0.2)  # as a hand at the keyboard: when the main thread waits
            os.kill(os.getpid(), signal.SIGINT)
            return super().preview(job)

    server = serve(Interrupting(at(1), previews=1))
    server.kept = (BRAIN,)
    assert batch_train.main([str(pictures), "--name", "mine", "--report", str(tmp_path / "report")]) == 1
    assert server.cancelled == [SHA]
    assert "It was stopped. The same command goes on." in capfd.readouterr().err


@pytest.fixture
def elsewhere(
    scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Server], Server]
) -> Path:
    """An empty folder to work in, and a server that has no news."""
    serve(Server())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["set"], "Nothing is to be done"),
        (["set", "--objects", "Nobody"], "There is no 'Nobody'"),
        (["set", "--objects", "Sun"], "No object with a surface"),
        (["set", "--collections"], "No collection with a surface"),
        (["set", "--objects", "Suzanne", "--render", "count=many"], "count cannot be 'many'"),
        (["set", "--objects", "Suzanne", "--render", "engine=magic"], "engine cannot be 'magic'"),
        (["set", "--objects", "Suzanne", "--render", "name=x"], "'name=x' sets nothing"),
        (["set", "--name", "a", "--set", "epochs=0"], "epochs = 0 is out of range"),
        (["set", "--name", "a", "--source", "nowhere.png"], "There is no file nowhere.png"),
        (["nowhere", "--name", "a"], "nowhere is not a folder"),
        ([], "The following arguments are required: folder"),
    ],
)
def test_bad_usage_is_said_in_words(
    elsewhere: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    assert batch_train.main(arguments) == 2
    assert error in capfd.readouterr().err
    assert not (elsewhere / "set").exists()
