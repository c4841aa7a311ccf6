# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Blender: its own command line, and its window with a hand at the mouse.

DEEPDREAM_REAL_BLENDER names the folder of blender-real and gui-shot.sh, which run Blender in a folder of its own under
a virtual screen: 5.2 ("sid"), and, where DEEPDREAM_REAL_SUITES says "sid trixie", 4.3, too.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .package_index import PackageIndex
from .processes import QUICK, ROOT, SERVER_PYTHON, Server, blender, json_lines, wait_until_gone

SUITES = os.environ.get("DEEPDREAM_REAL_SUITES", "sid").split()
TOOLS = os.environ.get("DEEPDREAM_REAL_BLENDER", "")
UV = [*(Path(SERVER_PYTHON).parents[1] / "test-wheels").glob("uv-*.whl")]
"""Its wheel, fetched by make setup, on Linux on x86_64."""
HERE = Path(__file__).parent / "real_blender"
PICTURES = ROOT / "out" / "window"
LIMIT = 500

pytestmark = [
    pytest.mark.skipif(not TOOLS, reason="DEEPDREAM_REAL_BLENDER is not set"),
    pytest.mark.timeout(LIMIT + 20),
]


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip."""
    built = blender(ROOT / "scripts" / "build_extension.py", "--output", tmp_path_factory.mktemp("dist"))
    return Path(built.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, extension: Path) -> Path:
    """A user's home with the extension installed from its zip."""
    folder = tmp_path_factory.mktemp("home")
    install = ["--command", "extension", "install-file", "-r", "user_default", "-e", extension]
    outcome = real("blender-real", "--suite", "sid", *install, home=folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def shot(blend: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(blend, tmp_path / "shot.blend"))


def real(tool: str, *arguments: object, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one of the tools; the home's parent, where all that tests write lies, is seen inside too."""
    binds = ":".join(map(str, [ROOT, home.parent, *_server_folders()]))
    variables = os.environ | environment | {"BLENDER_HOME": str(home), "BLENDER_BINDS": binds}
    command = [str(Path(TOOLS) / tool), *map(str, arguments)]
    return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)


def options(server: Server, output: Path) -> list[str]:
    return [*("--server", server.url, "--token-file", server.token_file, "--output", str(output), "--json"), *QUICK]


def test_blender_renders_with_the_script(home: Path, server: Server, shot: Path) -> None:
    script = ["-b", shot, "-P", "scripts/render.py", "--"]
    arguments = ["--add-node", "--frames", "1-2", *options(server, shot.parent / "frames" / "####.png")]
    for _ in range(2):
        outcome = real("blender-real", "--suite", "sid", "--factory-startup", *script, *arguments, home=home)
        assert outcome.returncode == 0, outcome.stderr
        *frames, summary = _our_lines(outcome.stdout)
        assert [line["frame"] for line in frames] == [1, 2]
        assert all(Path(line["output"]).is_file() for line in frames)
    assert summary["seconds"]["3D"] == summary["seconds"]["dream"] == 0
    wrong = real("blender-real", "--suite", "sid", "--factory-startup", *script, "--frames", "2-", home=home)
    assert wrong.returncode == 2


def test_blender_renders_with_the_extensions_command(home: Path, server: Server, shot: Path) -> None:
    arguments = ["--add-node", "--frames", "1", *options(server, shot.parent / "frames" / "####.png")]
    outcome = real("blender-real", "--suite", "sid", "-b", shot, "--command", "deepdream", *arguments, home=home)
    assert outcome.returncode == 0, outcome.stderr
    assert (shot.parent / "frames" / "0001.png").is_file()


@pytest.mark.parametrize("suite", SUITES)
def test_from_the_zip_to_a_dreamed_animation_by_mouse(extension: Path, tmp_path: Path, suite: str) -> None:
    home, shot = tmp_path / "home", tmp_path / "shot.blend"
    home.mkdir()
    installed = shutil.copy(extension, tmp_path)
    script = HERE / "shot.py"
    real("blender-real", "--suite", suite, "-b", "--factory-startup", "-P", script, "--", shot, home=home)
    real("blender-real", "--suite", suite, "-b", "--factory-startup", shot, "-a", home=home)
    rendered = _frames(shot)
    assert len(rendered) == 4
    variables = {
        "HAND": str(HERE),
        "WINDOW_SUITE": suite,
        "WINDOW_STATE": str(tmp_path / "state.json"),
        "WINDOW_CANCELLED": str(tmp_path / "cancelled"),
        "WINDOW_ZIP": Path(installed).name,
        "WINDOW_PYTHON": SERVER_PYTHON,
    }
    told = _drive(suite, "path.sh", shot, home, variables)
    assert told["error"] == ""
    assert told["settings"] == [["lite0", "_blocks.5"]]
    assert told["status"] == "Dreamed"
    dreamed = _frames(shot)
    assert dreamed.keys() == rendered.keys()
    assert all(dreamed[name] != rendered[name] for name in rendered)
    dreams = sorted((tmp_path / "shot_deepdream" / "Scene" / "dream").glob("DeepDream-*/*.exr"))
    ended = (tmp_path / "cancelled").stat().st_mtime_ns
    kept = [path.stat().st_mtime_ns < ended for path in dreams]
    assert len(kept) == 4
    assert kept[0], "what was dreamed before the cancel is kept"
    assert not kept[-1]
    wait_until_gone(variables["WINDOW_STATE"])


@pytest.mark.skipif(not UV, reason="make setup has fetched no wheel of uv")
def test_the_dream_server_is_installed_and_removed_by_mouse(home: Path, shot: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(home, tmp_path / "home"))
    variables = {
        "HAND": str(HERE),
        "WINDOW_STATE": str(tmp_path / "state.json"),
        "WINDOW_CANCELLED": str(tmp_path / "cancelled"),
        "WINDOW_HELD": str(tmp_path / "held"),
        "DEEPDREAM_PYTHON": "",
        "PIP_FIND_LINKS": "",
    }
    (tmp_path / "index").mkdir()
    with PackageIndex(tmp_path / "index", UV[0], tmp_path / "cancelled", tmp_path / "held") as index:
        simple = f"{index.url}/simple"
        told = _drive(
            "sid", "install.sh", shot, home, variables | {"PIP_INDEX_URL": simple, "UV_DEFAULT_INDEX": simple}
        )
    assert told["connection"] == "", "what was removed is not said to answer"
    fetched = [name.partition("-")[0] for name in index.asked]
    assert fetched.count("numpy") == 1, "what was fetched before the cancel is kept"
    assert fetched.count("torch") >= 2
    assert not list(home.glob(".config/blender/*/extensions/.user/user_default/blender_deepdream/server/*"))
    wait_until_gone(variables["WINDOW_STATE"])


def _drive(suite: str, script: str, shot: Path, home: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Blender with its window and the hand that follows the script. Returns what window.py told last."""
    picture = PICTURES / suite / "last.png"
    options = ["--suite", suite, "--timeout", "300", "--user-prefs", "--drive", HERE / script]
    outcome = real("gui-shot.sh", *options, picture, HERE / "window.py", shot, home=home, **variables)
    log = picture.with_name("last.png.log").read_text("utf-8")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr + log
    assert "Traceback" not in log
    assert "crash" not in log
    return dict(json.loads(Path(variables["WINDOW_STATE"]).read_text("utf-8")))


def _frames(shot: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(shot.parent.glob("frames/*.png"))}


@functools.cache
def _server_folders() -> list[str]:
    """What the server's Python is made of: Blender in its own folder shall start it."""
    command = [SERVER_PYTHON, "-c", "import sys; print(sys.prefix, sys.base_prefix, sep='\\n')"]
    folders = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    # one that lies in /usr would be another system's there
    return [folder for folder in folders if folder and folder != "/usr"]


def _our_lines(text: str) -> list[dict[str, object]]:
    """Blender says hello and good-bye on the same standard output."""
    return json_lines("\n".join(line for line in text.splitlines() if line.startswith("{")))
