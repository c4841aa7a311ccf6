# SPDX-License-Identifier: GPL-3.0-or-later
"""How much later Blender starts with the add-on: a process without it and one with it, in turn.

    .venv-blender/bin/python scripts/benchmark_addon.py [--rounds 9]

Beside the difference of whole processes, which is noisy, stands what registering took in its process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_BARE = "import bpy"
_WITH = """
import bpy, time
began = time.perf_counter()
import blender_deepdream
blender_deepdream.register()
print("registered", time.perf_counter() - began)
"""


def started(program: str) -> tuple[float, float]:
    """Seconds that the process took, and that registering took in it."""
    began = time.perf_counter()
    # compiled files are kept, as they are where the add-on is installed
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    return time.perf_counter() - began, float(said.rpartition("registered ")[2] or 0)


def main() -> None:
    parser = argparse.ArgumentParser(description="How much later Blender starts with the add-on.")
    parser.add_argument("--rounds", type=int, default=9, help="of one process each (default: 9)")
    rounds = parser.parse_args().rounds
    for program in (_BARE, _WITH):
        started(program)  # compiles
    pairs = [(started(_BARE), started(_WITH)) for _ in range(rounds)]
    later = statistics.median(ours[0] - bare[0] for bare, ours in pairs)
    registering = statistics.median(ours[1] for _, ours in pairs)
    print(f"Blender starts {later * 1000:.0f} ms later; registering takes {registering * 1000:.0f} ms of it.")


if __name__ == "__main__":
    main()
