# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of gradient ascent on one octave."""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeVar

import torch
from torch import Tensor

from ..protocol.errors import OutOfMemoryError
from ..protocol.settings import DreamSettings
from .brain import Brain
from .memory import memory_errors
from .objectives import Objective
from .octaves import Size, Wrap, crop, extend
from .regions import Area
from .restraint import as_lightness, decorrelated
from .smoothing import smooth, unit_deviation
from .steps import retold
from .tiling import Mosaic, Tile, Tiling

Answer = TypeVar("Answer")


class Part(NamedTuple):
    """How much of a step is done, 0 to 1, and the objective as far as it was seen."""

    share: float
    value: float


@dataclass(frozen=True, slots=True)
class Ascent:
    """What stays the same from step to step. brains: by the names in the objectives' terms. numbers: the dream's only
    source of randomness."""

    brains: Mapping[str, Brain]
    settings: DreamSettings
    wrap: Wrap
    tiling: Tiling
    numbers: random.Random

    @classmethod
    def of(cls, brains: Mapping[str, Brain], settings: DreamSettings, wrap: Wrap) -> Self:
        """One in the tiles that the settings want, its randomness begun with their seed."""
        tiling = Tiling(settings.tile, brains[""].device, max(brain.card.smallest for brain in brains.values()))
        return cls(brains, settings, wrap, tiling, random.Random(settings.seed))

    def step(self, image: Tensor, mask: Tensor, areas: Sequence[Area]) -> Generator[Part, None, tuple[Tensor, float]]:
        """By how much to change the image so that the areas' objectives grow, and what they are worth before that.

        image: 1x3xHxW, dream space. mask: 1x1xHxW in [0, 1], where the mean change shall be the settings' step size: in
        each area, so that regions are equally strong.
        Yields between tiles. Raises OutOfMemoryError, SettingsError for a tile too small.
        """
        change, worth = torch.zeros(()), 0.0
        for number, area in enumerate(areas):
            if number:
                yield Part(number / len(areas), 0.0)
            gradient, value = yield from as_part_of(self._gradient(area.objective, image), number, len(areas))
            gradient = unit_mean(self._shaped(gradient), area.within(mask))
            worth += value / len(areas)
            if area.share is not None:
                gradient.mul_(area.share)
            change = change.add_(gradient) if change.ndim else gradient
        return _as_strong_everywhere(change, areas).mul_(self.settings.step_size), worth

    def _gradient(self, objective: Objective, image: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """The gradient, tile by tile; where memory runs out, from the start again in smaller tiles."""
        if not objective.terms:
            return torch.zeros_like(image), 0.0
        stride = math.lcm(*(self.brains[brain].stride(layers) for brain, layers in objective.layers.items()))
        size = Size(*image.shape[-2:])
        # the network's cells lie elsewhere in every step; further than a cell is the same as less
        shift = Size(*(self.numbers.randint(0, self.settings.jitter) % stride for _ in size))
        while True:
            tiles = self.tiling.tiles(size, stride, shift, self.wrap, self.numbers)
            try:
                return (yield from gradient_of(objective, self.brains, image, tiles))
            except OutOfMemoryError as error:
                self.tiling.halve(stride, error)

    def _shaped(self, gradient: Tensor) -> Tensor:
        """Smoothed, and in the colours that the settings want."""
        gradient = self._smoothed(gradient)
        if self.settings.color == "lightness":
            return as_lightness(gradient)
        return decorrelated(gradient) if self.settings.color == "decorrelated" else gradient

    def _smoothed(self, gradient: Tensor) -> Tensor:
        """Smoothed across the sides that wrap, too, where the grid of pools ends elsewhere in every step."""
        scales = self.settings.smoothing
        if not any(self.wrap):
            return smooth(gradient, scales)
        around = Size(*(2**scales if wraps else 0 for wraps in self.wrap))
        roll = [self.numbers.randrange(gradient.shape[axis]) if self.wrap[axis] else 0 for axis in (-2, -1)]
        rolled = extend(gradient.roll(roll, (-2, -1)), around, self.wrap)
        return crop(smooth(rolled, scales), around).roll([-shift for shift in roll], (-2, -1))


def gradient_of(
    objective: Objective, brains: Mapping[str, Brain], image: Tensor, tiles: Sequence[Tile]
) -> Generator[Part, None, tuple[Tensor, float]]:
    """How the objective grows with each value of the image (1x3xHxW), up to a factor, and its value.

    Every term's own gradient is brought to the same deviation before it is weighted, so that a weight is a share
    of the picture, however loud its layer is. Yields between tiles.
    """
    mosaics = [Mosaic(Size(*image.shape[-2:])) for _ in objective.terms]
    share, worth = 0.0, torch.zeros(())
    for tile in tiles:
        if share:
            yield Part(share, float(worth) / share)
        with memory_errors():
            patch = tile.read(image).requires_grad_()
            for name in objective.layers:
                worth = worth + tile.share * _look_at(tile, patch, name, brains[name], objective, mosaics)
        share += tile.share
    total = torch.zeros(())
    for term in objective.terms:
        # a mosaic is let go before the next one is finished: each is as large as the image
        weighted = unit_deviation(mosaics.pop(0).finish()).mul_(term.weight)
        total = total.add_(weighted) if total.ndim else weighted.contiguous()
    # read last: whoever asks a GPU for a number waits for it
    return total, float(worth)


def _look_at(
    tile: Tile, patch: Tensor, name: str, brain: Brain, objective: Objective, mosaics: Sequence[Mosaic]
) -> Tensor:
    """Add one tile's gradients to the mosaic of each of a brain's terms. Returns their part of the objective there."""
    own = [(term, mosaic) for term, mosaic in zip(objective.terms, mosaics, strict=True) if term.brain == name]
    with torch.enable_grad():
        measures = objective.measures(name, brain.activations(patch, objective.layers[name]))
    for index, ((_, mosaic), measure) in enumerate(zip(own, measures, strict=True)):
        # a measure is a mean over the tile: a pixel of a small tile would have more of a say
        (gradient,) = torch.autograd.grad(measure * tile.extent, patch, retain_graph=index + 1 < len(own))
        mosaic.add(tile, gradient)
    return torch.stack([term.weight * measure.detach() for (term, _), measure in zip(own, measures, strict=True)]).sum()


def as_part_of(parts: Generator[Part, None, Answer], number: int, of: int) -> Generator[Part, None, Answer]:
    """The way of one of several, counted from 0, as a part of the step's."""
    return retold(parts, lambda part: Part((number + part.share) / of, part.value))


def _as_strong_everywhere(change: Tensor, areas: Sequence[Area]) -> Tensor:
    """The change with what soft edges have lost made good: where two areas mix, their patterns cancel out in part."""
    squares = [area.share.square() for area in areas if area.share is not None]
    return change.div_(torch.stack(squares).sum(dim=0).sqrt_()) if squares else change


def unit_mean(gradient: Tensor, mask: Tensor) -> Tensor:
    """The gradient over its mean magnitude where the mask dreams, in place; zeros stay zeros."""
    weight = mask.sum() * gradient.shape[1]
    # channel by channel: the magnitudes of all would take as much memory again
    sums = [channel.abs().mul_(mask).sum() for channel in torch.split(gradient, 1, dim=1)]
    mean = torch.stack(sums).sum() / weight.clamp_min(1e-6)
    return gradient.div_(mean.clamp_min(torch.finfo(gradient.dtype).tiny)) if mean > 0 else gradient.zero_()
