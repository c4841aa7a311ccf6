# SPDX-License-Identifier: GPL-3.0-or-later
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def benchmark(*arguments: str) -> dict[str, float]:
    command = [sys.executable, str(ROOT / "scripts" / "benchmark.py"), *arguments, "--json", "--threads", "1"]
    found: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def test_a_dream_is_timed_beside_a_plain_loop():
    small = ("--architecture", "squeezenet1_1", "--random-weights", "--layer", "features.7")
    found = benchmark("dream", *small, "--octave-sizes", "64,96", "--steps", "2", "--rounds", "1")
    assert found["ratio_float32"] == found["seconds_float32"] / found["seconds_plain"] > 0
    assert 0 < found["gflops_float32"] < found["matrix_gflops_float32"]
    assert found.get("objective_off_by_bfloat16", 0) < 0.02
