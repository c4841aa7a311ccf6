# SPDX-License-Identifier: GPL-3.0-or-later
"""Our training beside torch's plain loop over the same network and pictures, in turn: images per second.

Ours reads decoded pictures from the cache, distorts them anew each time and keeps the moving average of the weights.
The plain loop has the same pictures in memory as they are shown, undistorted. Both without clarity, which is more work
in any loop.
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.nn import functional

from blender_deepdream.engine.brain_file import Contents
from blender_deepdream.engine.lite0 import LITE0_CARD, lite0_weights
from blender_deepdream.engine.precision import TYPES
from blender_deepdream.engine.steps import finish
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.distributed import ALONE
from blender_deepdream.training.learner import Learner, Moment, precision_of
from blender_deepdream.training.trainable import Trainable, trainable
from blender_deepdream.training.training_data import Batch, TrainingData, open_training_data


@dataclass(frozen=True)
class Loop:
    """Where steps are made, and how they are timed. clock: the wall's, or the processor time of this process, which
    says more where other programs run as well."""

    device: torch.device
    clock: Callable[[], float] = time.perf_counter

    def finished(self) -> float:
        """The time when all is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()


def measure(folder: Path | None, rounds: int, steps: int, batch: int, loop: Loop) -> dict[str, Any]:
    """folder: of pictures; None: 320 that are made up. steps: of each way in each of the rounds."""
    device = loop.device
    recipe = Recipe().replace(clarity=0, batch=batch)
    with tempfile.TemporaryDirectory() as workshop:
        source = folder or made_up(Path(workshop, "pictures"))
        data = finish(open_training_data(source, recipe, device, Path(workshop, "caches")))
        ours, plain = Ours(data, recipe, loop), Plain(data, recipe, loop)
        ways: dict[str, Callable[[int], float]] = {"ours": ours, "plain": plain}
        for way in ways.values():
            way(2)
        found: dict[str, list[float]] = {name: [] for name in ways}
        resident = [resident_mib()]
        for _ in range(rounds):
            for name, way in ways.items():
                found[name].append(steps * batch / way(steps))
            resident.append(resident_mib())
    return report(found, resident) | {"pictures": data.train_count, "batch": batch, "device": str(device)}


def report(found: dict[str, list[float]], resident: list[float]) -> dict[str, Any]:
    # in one round both meet the same machine, whatever else it does
    ratios = [ours / plain for ours, plain in zip(found["ours"], found["plain"], strict=True)]
    rates = {f"images_per_second_{name}": statistics.median(rates) for name, rates in found.items()}
    return rates | {"ratio": statistics.median(ratios), "ratios": ratios, "resident_mib": resident}


class Ours:
    """What `finetune` does in a step."""

    def __init__(self, data: TrainingData, recipe: Recipe, loop: Loop) -> None:
        self._data, self._loop = data, loop
        self._learner = Learner(network(data, recipe).to(loop.device), recipe, ALONE)
        self._batches = self._endless()

    def __call__(self, steps: int) -> float:
        """Seconds that so many steps take."""
        start = self._loop.clock()
        for _ in range(steps):
            moment = Moment(0, self._learner.step, 1e-3, 0.0)
            self._learner.learn(next(self._batches), moment)
        return self._loop.finished() - start

    def _endless(self) -> Iterator[Batch]:
        epoch = 0
        while True:
            yield from self._data.batches(epoch)
            epoch += 1


class Plain:
    """A training loop as anybody would write it down in torch."""

    def __init__(self, data: TrainingData, recipe: Recipe, loop: Loop) -> None:
        shown = list(data.batches(0))
        self._images = torch.cat([batch.images for batch in shown])
        self._labels = torch.cat([batch.labels for batch in shown])
        self._network = network(data, recipe).to(loop.device).train()
        self._optimizer = torch.optim.SGD(self._network.parameters(), 1e-3, recipe.momentum, nesterov=True)
        self._recipe, self._loop = recipe, loop
        self._precision = TYPES[precision_of(recipe, self._network)]

    def __call__(self, steps: int) -> float:
        start = self._loop.clock()
        for _ in range(steps):
            places = torch.randint(len(self._labels), (self._recipe.batch,), device=self._loop.device)
            self._step(self._images[places], self._labels[places])
        return self._loop.finished() - start

    def _step(self, images: Tensor, labels: Tensor) -> None:
        half = self._precision != torch.float32
        with torch.autocast(self._loop.device.type, self._precision, enabled=half):
            logits = self._network(images)
        loss = functional.cross_entropy(logits.float(), labels, label_smoothing=self._recipe.label_smoothing)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        self._optimizer.step()


def network(data: TrainingData, recipe: Recipe) -> Trainable:
    return trainable(Contents(LITE0_CARD, lite0_weights(), None), data.classes, recipe)


def made_up(folder: Path) -> Path:
    """Stickers of 256 x 256 pixels in four classes."""
    numbers = np.random.default_rng(0)
    for number in range(320):
        pixels = numbers.integers(0, 256, (8, 8, 4)).astype(np.uint8)
        path = folder / f"class-{number % 4}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(pixels).resize((256, 256), Pillow.Resampling.BICUBIC).save(path, compress_level=1)
    return folder


def resident_mib() -> float:
    """Of this process, after what is garbage is gone."""
    gc.collect()
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    return float("nan")
