# SPDX-License-Identifier: GPL-3.0-or-later
"""Our dream beside a plain loop, in turn and several times, on the same octaves of the same image and weights.

Neither has the margin that the product puts around an image against seams at its border. The plain loop runs in a
process of its own, where the C library handles memory as it does by itself; ours is handled as the product's
(`server.heap`).

Where the time of a step goes at 512 pixels on two cores, two threads, in milliseconds, the fourth quickest of twenty:

                                              float32  bfloat16
    convolutions, forwards                         58        31
    convolutions and ReLUs, backwards              67        37
    max pooling, forwards                           7         5
    max pooling, backwards                         12        14
    concatenation                                   2         1
    Python, and freeing                             5         4
    image: read, normalise, smooth, change          9         9
    all                                           160       101
    all, where freed memory is not kept           192       114

At 224 pixels in bfloat16: 25, of which 15 are convolutions, 4 pooling, 2 Python, 3 the image. oneDNN takes 30
microseconds for each of the 66 convolutions before it begins to calculate.

Tried without gain on two threads: the 1x1 convolutions of a module as one (a fortieth at 224 pixels, nothing at 512);
the gradient of the first, 7x7 convolution in blocks of 2x2 or 1x4 cells, or with its channels padded; its forward pass
on space turned to depth; the backward pass of pooling in bands of the map as a batch, also with places in 16 bits and
bands as small as the cache (its copies cost more than the second thread saves), or in two bands by two Python threads
(1.2 to 1.6 times as fast for large maps, slower for small ones: a thirtieth of the step); huge pages (up to a
twentieth, for up to a quarter more memory); torch.compile.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing import get_context
from typing import Any

import torch
from benchmark_plain import MEAN, STD, PlainDream
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from blender_deepdream.engine.ascent import Ascent
from blender_deepdream.engine.brain import Brain, BrainCard, Preprocessing
from blender_deepdream.engine.networks.vision import build, describe
from blender_deepdream.engine.octaves import NO_WRAP, Size, resize, resize_picture
from blender_deepdream.engine.precision import halves_of, in_precision
from blender_deepdream.engine.regions import Area
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.tiling import Tiling
from blender_deepdream.engine.wanted import objective_of
from blender_deepdream.protocol.settings import DreamSettings

MATRIX = 2048
"""Side of the matrices whose product shows what the hardware can do."""

PLAIN = "plain"

Clock = Callable[[], float]
"""Wall clock, or the processor time of this process, which says more where other programs run as well."""


@dataclass
class Timing:
    """One way of dreaming. seconds: of each round. value: the objective before the last step."""

    seconds: list[float] = field(default_factory=list)
    value: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Task:
    """What is dreamed, and how it is timed. sides: of the octaves, in pixels, the last one the image's."""

    architecture: str
    layer: str
    steps: int
    sides: tuple[int, ...]
    device: torch.device
    clock: Clock = time.perf_counter


def measure(task: Task, rounds: int) -> dict[str, Any]:
    """Seconds, ratios to the plain loop's time, GFLOP/s and its share of a matrix product's, as JSON."""
    apart = ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (torch.get_num_threads(),))
    brain = random_brain(task.architecture, task.device)
    image = soft_noise(task.sides[-1]).to(task.device)
    ways: dict[str, Callable[[], tuple[float, float]]] = {PLAIN: lambda: apart.submit(plain_round, task).result()}
    for precision in ("float32", *halves_of(task.device)):
        ways[precision] = partial(timed, partial(dream, in_precision(brain, precision), image, task), task)
    timings = {name: Timing() for name in ways}
    rates = dict.fromkeys(ways, 0.0)
    with apart:
        for number in range(rounds + 1):
            for name, way in ways.items():
                seconds, timings[name].value = way()
                rates[name] = max(rates[name], matrix_rate("float32" if name == PLAIN else name, task))
                if number:  # the first round warms up
                    timings[name].seconds.append(seconds)
    return report(task, timings, rates)


def plain_round(task: Task) -> tuple[float, float]:
    """Seconds and objective of the plain loop."""
    image = soft_noise(task.sides[-1]).to(task.device)
    plain = _plain_dream(task)
    return timed(lambda: plain(image, task.sides, task.steps), task)


def report(task: Task, timings: dict[str, Timing], rates: dict[str, float]) -> dict[str, Any]:
    work = gflop(task)
    known = {"architecture": task.architecture, "layer": task.layer, "steps": task.steps, "octaves": task.sides}
    found: dict[str, Any] = known | {"device": str(task.device), "clock": task.clock.__name__, "gflop": work}
    found |= {"threads": torch.get_num_threads(), "rounds": len(timings[PLAIN].seconds)}
    for name, timing in timings.items():
        found |= {f"seconds_{name}": timing.median, f"seconds_{name}_all": timing.seconds}
        found |= {f"gflops_{name}": work / timing.median, f"matrix_gflops_{name}": rates[name]}
        found |= {f"share_of_matrix_{name}": work / timing.median / rates[name], f"objective_{name}": timing.value}
        if name != PLAIN:
            found[f"ratio_{name}"] = timing.median / timings[PLAIN].median
            found[f"objective_off_by_{name}"] = abs(timing.value / timings["float32"].value - 1)
    return found


def dream(brain: Brain, image: Tensor, task: Task) -> float:
    """The octaves and steps of `engine.dream` on a 1x3xHxW image."""
    settings = DreamSettings().replace(layers=((task.layer, 1.0),), steps=task.steps)
    objective = objective_of(settings, None, {"": brain}, len(task.sides))
    tiling = Tiling(settings.tile, task.device, brain.card.smallest)
    ascent = Ascent({"": brain}, settings, NO_WRAP, tiling, random.Random(settings.seed))
    detail, value = torch.zeros(1, 3, 1, 1, device=task.device), 0.0
    for side in task.sides:
        base = resize_picture(image, Size(side, side))
        mask = torch.ones(1, 1, side, side, device=task.device)
        dreamt = (base + resize(detail, Size(side, side))).clamp_(0, 1)
        for _ in range(task.steps):
            change, value = finish(ascent.step(dreamt, mask, [Area(objective)]))
            dreamt = dreamt.add_(change).clamp_(0, 1)
        detail = dreamt.sub_(base)
    return value


def random_brain(architecture: str, device: torch.device) -> Brain:
    """A brain of an architecture with random weights: they cost the same time as any."""
    said = describe(architecture)
    card = BrainCard(
        name=architecture,
        id="0" * 64,
        title=architecture,
        licence="none",
        layers=said.layers,
        default_layers=((said.layers[-1].name, 1.0),),
        architecture=f"torchvision/{architecture}",
        preprocessing=Preprocessing("RGB", 1.0, MEAN, STD),
        smallest=said.smallest,
    )
    return Brain(card, build(architecture, None, device=device), device)


@lru_cache(maxsize=1)
def _plain_dream(task: Task) -> PlainDream:
    """The plain loop with the weights that `random_brain` has."""
    settings = DreamSettings()
    return PlainDream(plain_model(task.architecture).to(task.device), task.layer, settings.jitter, settings.step_size)


def plain_model(architecture: str) -> nn.Module:
    ballast = {"aux_logits": False, "init_weights": False} if architecture in ("googlenet", "inception_v3") else {}
    model: nn.Module = models.get_model(architecture, weights=None, **ballast)
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model.eval()


def soft_noise(side: int) -> Tensor:
    """1x3xHxW in [0, 1]."""
    grains = torch.rand(1, 3, side // 8, side // 8, generator=torch.Generator().manual_seed(0))
    return resize_picture(grains, Size(side, side))


def gflop(task: Task) -> float:
    """What the network has to calculate, forwards and backwards; multiplications and additions count each."""
    model = plain_model(task.architecture).requires_grad_(False).to("meta")
    plain = PlainDream(model, task.layer, 0, 1.0)
    total = 0
    for side in task.sides:
        with FlopCounterMode(display=False) as counter:
            plain.network(torch.zeros(1, 3, side, side, device="meta"))
        total += 2 * task.steps * counter.get_total_flops()
    return total / 1e9


def matrix_rate(precision: str, task: Task) -> float:
    """GFLOP/s of a large matrix product, the best of three."""
    matrix = torch.ones(MATRIX, MATRIX, dtype=getattr(torch, precision), device=task.device)
    return 2 * MATRIX**3 / 1e9 / min(timed(lambda: (matrix @ matrix)[0, 0], task)[0] for _ in range(3))


def timed(way: Callable[[], Any], task: Task) -> tuple[float, Any]:
    start = task.clock()
    answer = way()
    if task.device.type == "cuda":
        torch.cuda.synchronize(task.device)
    return task.clock() - start, answer
