# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot on a farm: in parts, by what the farms' own files say, it comes to the same bytes as in one go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .processes import LIMIT, QUICK, ROOT, SERVER_PYTHON, Folder

FARM = ROOT / "scripts" / "farm"
OPENJD = Path(SERVER_PYTHON).with_name("openjd")

needs_openjd = pytest.mark.skipif(not OPENJD.exists(), reason="openjd-cli is not in the server's environment")
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="there is no node to run JavaScript")

_BLENDER = """#!/bin/sh
# as `blender -b BLEND -P SCRIPT -- ...` would, with Blender as a Python module
blend=$2 script=$4; shift 5
exec "{python}" "$script" "$blend" --add-node --set steps=1 --set octaves=2 "$@"
"""


def test_stages_one_after_the_other(folder: Folder, tmp_path: Path) -> None:
    whole = Folder(tmp_path / "whole", folder.blend)
    assert whole.render("--frames", "1-2", *QUICK).returncode == 0
    early = folder.render("--stage", "composite", "--frames", "1", *QUICK)
    assert early.returncode == 2
    assert "--stage dream" in early.stderr
    for stage, frames in (("render", "2"), ("render", "1"), ("dream", "1-2"), ("composite", "2"), ("composite", "1")):
        assert not (stage == "composite" and frames == "2" and folder.frames())
        done = folder.render("--stage", stage, "--frames", frames, *QUICK)
        assert done.returncode == 0, done.stderr
    assert folder.frames() == whole.frames()
    rendered = folder.raw_times()
    assert folder.render("--frames", "1-2", *QUICK).returncode == 0
    assert folder.raw_times() == rendered, "all of it is still good"


@needs_openjd
@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Blender is a shell script")
@pytest.mark.timeout(400)
def test_openjd_runs_a_shot(folder: Folder, tmp_path: Path) -> None:
    whole = Folder(tmp_path / "whole", folder.blend)
    assert whole.render("--frames", "1-3", "--set", "steps=1", "--set", "octaves=2").returncode == 0
    blender = tmp_path / "blender"
    blender.write_text(_BLENDER.format(python=sys.executable))
    blender.chmod(0o755)
    parameters = {
        "BlendFile": str(folder.blend),
        "Frames": "1-3",
        "ChunkSize": 2,
        "Output": str(folder.output),
        "Cache": str(folder.cache),
        "Blender": str(blender),
        "Script": str(ROOT / "scripts" / "render.py"),
    }
    done = openjd("run", "--step", "Composite", "--run-dependencies", "-p", json.dumps(parameters), folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(folder.frames()) == ["0001.exr", "0002.exr", "0003.exr"]
    assert folder.frames() == whole.frames()


@needs_openjd
def test_openjd_finds_frames_that_are_none(folder: Folder) -> None:
    assert openjd("check", folder=folder).returncode == 0
    parameters = {"BlendFile": str(folder.blend), "Cache": str(folder.cache), "Frames": "one to three"}
    done = openjd("run", "--step", "Render", "-p", json.dumps(parameters), folder=folder)
    assert done.returncode != 0
    assert "one to three" in done.stdout + done.stderr


def openjd(verb: str, *arguments: str, folder: Folder) -> subprocess.CompletedProcess[str]:
    command = [str(OPENJD), verb, str(FARM / "deepdream.openjd.yaml"), *arguments]
    return subprocess.run(
        command, env=folder.environment, capture_output=True, text=True, timeout=3 * LIMIT, check=False
    )


_FLAMENCO = """
const fs = require("fs");
const tasks = [];
const author = {
    Task: (name, type) => ({ name, type, after: [], commands: [],
        addCommand(c) { this.commands.push(c); }, addDependency(t) { this.after.push(t.name); } }),
    Command: (name, parameters) => ({ name, parameters }),
};
const frameChunker = (frames, size) => frames ? ["1-2", "3"] : [];
const job = { settings: JSON.parse(process.argv[2]), addTask: (task) => tasks.push(task) };
try {
    new Function("author", "frameChunker", "job", fs.readFileSync(process.argv[1], "utf8") + "; compileJob(job);")(
        author, frameChunker, job);
    console.log(JSON.stringify(tasks));
} catch (error) { console.log(JSON.stringify(String(error))); }
"""


def compiled(**settings: object) -> object:
    """What Flamenco would make of the job type: its tasks, or its complaint."""
    plain = {"frames": "1-3", "shots": "1-2,3-3", "chunk_size": 2, "output": "//out/####.png", "cache": "/cache"}
    plain |= {"server": "", "token_file": "", "script": "", "blendfile": "/shot.blend"}
    command = ["node", "-e", _FLAMENCO, str(FARM / "deepdream.js"), json.dumps(plain | settings)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


@needs_node
def test_flamenco_compiles_a_job() -> None:
    tasks = compiled()
    assert isinstance(tasks, list)
    names = [task["name"] for task in tasks]
    assert names == ["render-1-2", "render-3", "dream-1-2", "dream-3-3", "composite-1-2", "composite-3"]
    after = {task["name"]: task["after"] for task in tasks}
    assert after["render-3"] == []
    assert after["dream-1-2"] == ["render-1-2", "render-3"]
    assert after["composite-3"] == ["dream-1-2", "dream-3-3"]
    command = tasks[2]["commands"][0]["parameters"]
    assert command["blendfile"] == "/shot.blend"
    assert command["args"][:6] == ["--command", "deepdream", "--stage", "dream", "--frames", "1-2"]
    scripted = compiled(script="/opt/render.py")
    assert isinstance(scripted, list)
    assert "/opt/render.py" in scripted[0]["commands"][0]["parameters"]["args"]


@needs_node
def test_flamenco_says_what_is_missing() -> None:
    assert "no frames" in str(compiled(frames=""))
    assert "no shots" in str(compiled(shots=" "))


def test_flamenco_finds_the_shots_of_a_scene(tmp_path: Path) -> None:
    """The job type's expression, which Flamenco's add-on evaluates in Blender with C as the context."""
    code = (FARM / "deepdream.js").read_text("utf-8")
    expression = "".join(line.strip(' +;"') for line in code.split("const SHOTS =")[1].split(";\n")[0].splitlines())

    class Marker:
        def __init__(self, frame: int, camera: object) -> None:
            self.frame, self.camera = frame, camera

    class Context:
        class scene:  # as Blender's
            frame_start, frame_end = 1, 120
            timeline_markers = (Marker(1, "a"), Marker(49, "b"), Marker(60, None), Marker(90, "a"), Marker(500, "b"))

    assert eval(expression, {"C": Context}) == "1-48,49-89,90-120"
    Context.scene.timeline_markers = ()
    assert eval(expression, {"C": Context}) == "1-120"
    assert os.linesep not in expression
