# SPDX-License-Identifier: GPL-3.0-or-later
"""The most memory that a process takes for a dream of one octave, and how tiles show where they meet.

One octave of one step unless told otherwise; a second step of a very large image takes up to a ninth more.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark_dream import random_brain, soft_noise

from blender_deepdream.engine.ascent import Ascent
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.octaves import NO_WRAP
from blender_deepdream.engine.precision import in_precision
from blender_deepdream.engine.wanted import objective_of
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.server.dreaming import choose_device
from tests.engine.seams import ToldTiling, strength_at_seams

SEAM_SIDE, SEAM_TILE = 640, 384


def measure(options: argparse.Namespace, sides: list[int]) -> dict[str, Any]:
    """Peak resident memory by side, each in a process of its own, and the gradient near seams beside that elsewhere."""
    sizes = {side: _in_own_process(options, side) for side in sides}
    return {"sizes": sizes, "seams": seams(options)}


def _in_own_process(options: argparse.Namespace, side: int) -> dict[str, float]:
    task = (side, options.steps, options.threads, options.architecture, options.layer, options.precision)
    here = Path(__file__).resolve().parent
    code = f"import sys; sys.path[:0] = {[str(here), str(here.parent)]}; import benchmark_memory as b; b.one(*{task})"
    answer = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    found: dict[str, float] = json.loads(answer)
    return found


def one(side: int, steps: int, threads: int, architecture: str, layer: str, precision: str) -> None:
    """Dream once; print the seconds and the peak of this process's resident memory as JSON."""
    brain = random_brain(architecture, choose_device("cpu", threads))
    settings = DreamSettings().replace(layers=((layer, 1.0),), octaves=1, steps=steps, precision=precision)
    image = Image(np.random.default_rng(0).random((side, side, 3), dtype=np.float32))
    start = time.perf_counter()
    dream_to_end(image, brain, settings)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"peak_gib": peak / 2**30, "seconds": seconds}))


def seams(options: argparse.Namespace) -> float:
    """`strength_at_seams` in a brain with random weights."""
    brain = in_precision(random_brain(options.architecture, torch.device("cpu")), options.precision)
    settings = DreamSettings().replace(layers=((options.layer, 1.0),))
    tiling = ToldTiling(SEAM_TILE, brain.device, brain.card.smallest)
    ascent = Ascent({"": brain}, settings, NO_WRAP, tiling, random.Random(0))
    return strength_at_seams(ascent, tiling, objective_of(settings, None, {"": brain}, 1), soft_noise(SEAM_SIDE))
