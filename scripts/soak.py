# SPDX-License-Identifier: GPL-3.0-or-later
"""Torment a dream server for hours: `make soak`, or `python scripts/soak.py --hours 24`. Linux.

In turn: kill the server, its worker or its client at random moments and compare the bits; two hundred event streams
and fifty clients at once for a minute; thousands of damaged images. It ends with exit code 1 at the first thing that is
wrong, and tells the seed with which it happened.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.server.attacks import Crowd, Killing, resident_mib  # noqa: E402  # they are the tests' own
from tests.server.process import ServerProcess  # noqa: E402

MAX_GROWTH = 300.0
"""MiB by which a process may grow."""


def main() -> int:
    options = _parse()
    end = time.monotonic() + options.hours * 3600
    try:
        for seed in itertools.count(options.seed):
            _round(seed, options.kills)
            if time.monotonic() > end:
                return 0
    except AssertionError as error:
        print(f"wrong with seed {seed}: {error}", flush=True)
        return 1
    return 0


def _round(seed: int, kills: int) -> None:
    with tempfile.TemporaryDirectory(prefix="deepdream-soak-") as folder:
        _kill(Path(folder), seed, kills)
        _crowd(Path(folder), seed)
    _damage(seed)


def _kill(folder: Path, seed: int, kills: int) -> None:
    servers: list[ServerProcess] = []

    def start() -> ServerProcess:
        servers.append(ServerProcess(folder / "data"))
        return servers[-1]

    try:
        killing = Killing(start, seed)
        for number in range(kills):
            _tell(seed, f"kill {number + 1}: {killing.round()}, the same bits")
    finally:
        for server in servers:
            server.kill()


def _crowd(folder: Path, seed: int) -> None:
    server = ServerProcess(folder / "crowd", "--max-queue", "20")
    try:
        Crowd(server, streams=20, clients=10, seconds=3).run()
        before = resident_mib(server.pid)
        crowd = Crowd(server, streams=200, clients=50, seconds=60)
        crowd.run()
        grown = resident_mib(server.pid) - before
    finally:
        server.kill()
    _tell(seed, f"crowd: {crowd.asked} rounds, {crowd.busy} told to come later, grown by {grown:.1f} MiB")
    assert not crowd.errors, crowd.errors
    assert grown < MAX_GROWTH, f"the server has grown by {grown} MiB"


def _damage(seed: int) -> None:
    command = [sys.executable, "-m", "tests.server.fuzz_images", str(seed), "10000"]
    # the image libraries tell of each image
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    assert done.returncode == 0, f"a damaged image ended its reader with exit code {done.returncode}"
    read, refused, grown = map(float, done.stdout.split())
    _tell(seed, f"damaged images: {read:.0f} read, {refused:.0f} refused, grown by {grown:.1f} MiB")
    assert grown < MAX_GROWTH, f"the reader has grown by {grown} MiB"


def _tell(seed: int, text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} seed {seed}: {text}", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Torment a dream server, and see whether it minds.")
    parser.add_argument("--hours", type=float, default=24.0, help="at least so long (default: 24)")
    parser.add_argument("--kills", type=int, default=50, help="in each round (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
