# SPDX-License-Identifier: GPL-3.0-or-later
"""The most memory that a process takes for a dream of one octave, and how tiles show where they meet.

One octave and few steps: further ones take no more memory, only time.
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
from torch import Tensor

from blender_deepdream.engine.ascent import Ascent
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.octaves import NO_WRAP, Size
from blender_deepdream.engine.precision import in_precision
from blender_deepdream.engine.regions import Area
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.tiling import Tile, Tiling
from blender_deepdream.engine.wanted import objective_of
from blender_deepdream.protocol.settings import DreamSettings

SEAM_SIDE, SEAM_TILE, SEAM_STEPS = 640, 384, 10


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
    torch.set_num_threads(threads)
    brain = random_brain(architecture, torch.device("cpu"))
    settings = DreamSettings().replace(layers=((layer, 1.0),), octaves=1, steps=steps, precision=precision)
    image = Image(np.random.default_rng(0).random((side, side, 3), dtype=np.float32))
    start = time.perf_counter()
    dream_to_end(image, brain, settings)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"peak_gib": peak / 2**30, "seconds": seconds}))


class ToldTiling(Tiling):
    """One that remembers where it put its tiles."""

    laid: tuple[Tile, ...] = ()

    def tiles(self, *arguments: Any, **named: Any) -> tuple[Tile, ...]:
        self.laid = super().tiles(*arguments, **named)
        return self.laid


def seams(options: argparse.Namespace) -> float:
    """The mean change within 2 pixels of where tiles meet, beside that elsewhere, over ten steps."""
    brain = in_precision(random_brain(options.architecture, torch.device("cpu")), options.precision)
    size = Size(SEAM_SIDE, SEAM_SIDE)
    settings = DreamSettings().replace(layers=((options.layer, 1.0),))
    area = Area(objective_of(settings, None, {"": brain}, 1))
    tiling = ToldTiling(SEAM_TILE, brain.device, brain.card.smallest)
    ascent = Ascent({"": brain}, settings, NO_WRAP, tiling, random.Random(0))
    image, near, far = soft_noise(SEAM_SIDE), [], []
    for _ in range(SEAM_STEPS):
        change = _change(ascent, image, area)
        image = (image + change).clamp(0, 1)
        close, strength = close_to_seams(tiling.laid, size), change.abs().mean(dim=(0, 1))
        inside = torch.zeros(*size, dtype=torch.bool)
        inside[32:-32, 32:-32] = True
        near.append(strength[close & inside])
        far.append(strength[~close & inside])
    return float(torch.cat(near).mean() / torch.cat(far).mean())


def _change(ascent: Ascent, image: Tensor, area: Area) -> Tensor:
    change, _ = finish(ascent.step(image, torch.ones(1, 1, *image.shape[-2:]), [area]))
    return change


def close_to_seams(tiles: tuple[Tile, ...], size: Size) -> Tensor:
    """HxW: true within 2 pixels of a tile's end, or of where it counts as much as its neighbour."""
    close = torch.zeros(*size, dtype=torch.bool)
    for tile in tiles:
        for axis, strip in enumerate((tile.rows, tile.columns)):
            even = torch.nonzero((strip.weight[1:] - 0.5) * (strip.weight[:-1] - 0.5) <= 0).flatten()
            for place in (strip.sees[0], strip.sees[-1], *strip.sees[even]):
                first = max(0, int(place) - 2)
                close.narrow(axis, first, min(5, size[axis] - first)).fill_(True)
    return close
