# SPDX-License-Identifier: GPL-3.0-or-later
"""From a job's arrival on a warm server to the start of its first forward pass, in milliseconds.

The server is a real one, in a process of its own, asked over its socket. Its worker notes the time at which a brain is
first asked for activations: Python's `sitecustomize` puts the note there, so that the product knows nothing of it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings

TARGET_MILLISECONDS = 50.0

_NOTE = """
import os, sys, time
if "blender_deepdream.server.worker" in sys.orig_argv:
    from blender_deepdream.engine.brain import Brain
    asked = Brain.activations
    def activations(self, *arguments, **named):
        with open(os.environ["FORWARD_TIMES"], "a") as file:
            print(time.time(), file=file)
        return asked(self, *arguments, **named)
    Brain.activations = activations
"""


def measure(size: int, rounds: int, threads: int) -> dict[str, Any]:
    """Jobs of `size` x `size` images, one after the other, after a first one that warms the server up."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder), threads) as (client, times):
        waits = [_wait(client, Path(folder), times, size, seed) for seed in range(rounds + 1)][1:]
    return {"milliseconds": statistics.median(waits), "worst": max(waits), "target": TARGET_MILLISECONDS, "all": waits}


@contextmanager
def _server(folder: Path, threads: int) -> Iterator[tuple[DreamClient, Path]]:
    times = folder / "times"
    (folder / "sitecustomize.py").write_text(_NOTE)
    root = Path(__file__).parents[1]
    path = os.pathsep.join((str(folder), str(root)))
    command = [sys.executable, "-m", "blender_deepdream.server", "serve", "--data", str(folder / "data")]
    process = subprocess.Popen(
        [*command, "--threads", str(threads), "--exit-with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path, "FORWARD_TIMES": str(times)},
        cwd=root,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        greeting = json.loads(process.stdout.readline())
        yield DreamClient(greeting["url"], Path(greeting["token_file"]).read_text()), times
    finally:
        process.stdin.close()
        process.wait(20)


def _wait(client: DreamClient, folder: Path, times: Path, size: int, seed: int) -> float:
    """Milliseconds from sending the request of a new image, as Blender would write it, to its first forward pass."""
    # smooth with a grain, so that it compresses as a render does
    walk = np.random.default_rng(seed).normal(0, 1e-3, (size, size, 4)).cumsum(0).cumsum(1) + 0.5
    walk[..., 3] = 1
    write_image(Image(walk.astype(np.float32)), folder / "image.exr")
    source = client.put_blob(folder / "image.exr")
    request = DreamRequest(source, DreamSettings().replace(steps=1, octaves=4, seed=seed))
    times.unlink(missing_ok=True)
    start = time.time()
    *_, last = client.events(client.submit(request).id)
    assert last.result is not None, last
    return (float(times.read_text().split()[0]) - start) * 1000
