# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Blender: its own command line, and its window with a hand at the mouse.

DEEPDREAM_REAL_BLENDER names the folder of blender-real and gui-shot.sh, which run Blender 5.2 in a folder of its own
under a virtual screen. The server runs outside of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import QUICK, ROOT, Server, blender, json_lines

TOOLS = os.environ.get("DEEPDREAM_REAL_BLENDER", "")
HERE = Path(__file__).parent / "real_blender"
PICTURES = ROOT / "out" / "window"
LIMIT = 500

pytestmark = [
    pytest.mark.skipif(not TOOLS, reason="DEEPDREAM_REAL_BLENDER is not set"),
    pytest.mark.timeout(LIMIT + 20),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home with the extension installed from its zip."""
    folder = tmp_path_factory.mktemp("home")
    built = blender(ROOT / "scripts" / "build_extension.py", "--output", folder)
    install = ["--command", "extension", "install-file", "-r", "user_default", "-e", built.stdout.splitlines()[-1]]
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
    variables = os.environ | environment | {"BLENDER_HOME": str(home), "BLENDER_BINDS": f"{ROOT}:{home.parent}"}
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


def test_an_artist_adds_the_node_and_presses_dream(home: Path, server: Server, shot: Path) -> None:
    state, cache = shot.with_name("state.json"), shot.with_name("shot_deepdream") / "Scene"
    picture = PICTURES / "dreamed.png"
    outcome = real(
        "gui-shot.sh",
        *(
            "--suite",
            "sid",
            "--timeout",
            "300",
            "--user-prefs",
            "--drive",
            HERE / "drive.sh",
            picture,
            HERE / "window.py",
            shot,
        ),
        home=home,
        WINDOW_STATE=str(state),
        WINDOW_CACHE=str(cache),
        WINDOW_SERVER=server.url,
        WINDOW_TOKEN_FILE=server.token_file,
    )
    log = picture.with_name("dreamed.png.log").read_text("utf-8")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr + log
    assert "Traceback" not in log
    told = json.loads(state.read_text("utf-8"))
    assert told["error"] == ""
    assert sorted(told["links"]) == [["DeepDream", "Group Output"], ["Render Layers", "DeepDream"]]
    assert len(list(cache.glob("dream/DeepDream-*/0001.exr"))) == 1
    assert told["seed"] != 0
    assert told["status"] == "Out of date: settings have changed"
    assert picture.stat().st_size > 10_000


def _our_lines(text: str) -> list[dict[str, object]]:
    """Blender says hello and good-bye on the same standard output."""
    return json_lines("\n".join(line for line in text.splitlines() if line.startswith("{")))
