# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender and the dream server in processes of their own, as a farm runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVER_PYTHON = os.environ.get("DEEPDREAM_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
LIMIT = 110
"""Seconds for any process: less than pytest's own limit, which would leave it running."""
QUICK = ("--set", "steps=1", "--set", "octaves=1")
SLOW = ("--set", "steps=1000", "--set", "octaves=4")
"""A dream that lasts long enough to be interrupted."""


def blender(script: Path, *arguments: object, **environment: object) -> subprocess.CompletedProcess[str]:
    """Run a script in the Blender module of this Python."""
    command = [sys.executable, str(script), *map(str, arguments)]
    variables = (
        os.environ | {"DEEPDREAM_PYTHON": SERVER_PYTHON} | {key: str(value) for key, value in environment.items()}
    )
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=LIMIT, check=False)


class Folder:
    """A place for one scene, its cache, its frames and its server's data."""

    def __init__(self, root: Path, blend: Path) -> None:
        self.root = root
        self.blend = blend
        self.cache = root / "cache"
        self.output = root / "frames" / "####.exr"
        self.environment = os.environ | {"DEEPDREAM_PYTHON": SERVER_PYTHON, "DEEPDREAM_DATA": str(root / "server")}

    def command(self, *arguments: object) -> list[str]:
        places = ["--add-node", "--cache", self.cache, "--output", self.output]
        return [sys.executable, *map(str, [ROOT / "scripts" / "render.py", self.blend, *places, *arguments])]

    def render(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run scripts/render.py to its end."""
        return subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start scripts/render.py, its lines to be read as they come."""
        return subprocess.Popen(
            self.command(*arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def frames(self) -> dict[str, bytes]:
        """The frames written so far."""
        return {path.name: path.read_bytes() for path in sorted(self.output.parent.glob("[!.]*"))}

    def dreams(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.cache.glob("dream/*/*.exr"))}

    def raw_times(self) -> list[int]:
        return [path.stat().st_mtime_ns for path in sorted(self.cache.glob("raw/*.exr"))]


class Server:
    """`deepdream serve` on its own; it ends with the context."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __enter__(self) -> Server:
        command = [
            SERVER_PYTHON,
            "-m",
            "blender_deepdream.server",
            "serve",
            "--exit-with-parent",
            "--data",
            str(self.data),
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        ready = json.loads(self.process.stdout.readline())
        self.url, self.token_file = ready["url"], ready["token_file"]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=30)


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def processes_with(word: str) -> list[int]:
    """Processes that have this word among their environment's values (Linux), zombies not counted."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile, or is not ours
    return found


def kill(process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> tuple[str, str]:
    """Send a signal and wait for the end; returns what was printed and not read yet."""
    process.send_signal(number)
    return process.communicate(timeout=30)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)


def wait_until_gone(word: str) -> None:
    """Wait for the end of all processes that have this word in their environment."""
    wait_for(lambda: not processes_with(word), f"the end of {processes_with(word)}")
