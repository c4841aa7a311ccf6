# SPDX-License-Identifier: GPL-3.0-or-later
"""A training that is killed at any moment ends with the same brain, to the byte."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EPOCHS, STEPS = 3, 60


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.training.small_training", str(folder), str(EPOCHS), str(STEPS)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def run(folder: Path, kill_after: int | None = None) -> int:
    """Train, or kill it -9 after so many lines. Returns how many lines it told."""
    process = start(folder)
    assert process.stdout is not None
    for count, _ in enumerate(process.stdout, 1):
        if count == kill_after:
            process.kill()
    process.stdout.close()
    assert process.wait() == (0 if kill_after is None else -9)
    return count


def test_killed_at_random_moments(tmp_path):
    assert run(tmp_path / "whole") == EPOCHS * (STEPS + 1)
    moments = random.Random(3)
    for _ in range(2):
        run(tmp_path / "killed", moments.randrange(30, 80))
    assert run(tmp_path / "killed") < EPOCHS * (STEPS + 1)
    assert (tmp_path / "killed/brain.safetensors").read_bytes() == (tmp_path / "whole/brain.safetensors").read_bytes()
