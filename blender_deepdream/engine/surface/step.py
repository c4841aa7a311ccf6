# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of gradient ascent on textures, through some of their views."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from ..ascent import Ascent, Part, as_part_of
from ..octaves import Size, resize
from .regions import Parts
from .scale import Scale
from .sight import Sight
from .textures import filled
from .views import resized

MOMENTUM = 0.5
"""Of a step's change, how much goes on in the next one: what views disagree about cancels out over steps, and what they
agree about grows. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964."""
REACH = 2
"""How far, as a power of two, a step's change reaches to texels that lie between those that pixels see."""


def wanted_of(
    sight: Sight, picture: Tensor, ascent: Ascent, parts: Parts, side: int
) -> Generator[Part, None, tuple[Tensor, float]]:
    """1x3xHxW: how a view's picture (the same, dream space) is to change. side: of what the network sees of it."""
    view = sight.view
    small, covered, window = resized(picture, side), resized(view.covered, side), view.window(side)
    part = (..., *window)
    change, value = yield from ascent.step(small[part], covered[part], parts.areas(sight, side, window))
    whole = torch.zeros_like(small)
    whole[part] = change * covered[part]
    return resize(whole, Size(view.side, view.side)), value


class Step:
    """What stays the same from step to step of an octave, and what goes on. side: of the octave's pictures. views: of
    how many each step consists. drift: 3xN, what goes on from the steps before; None: these are the first."""

    def __init__(
        self,
        ascent: Ascent,
        parts: Parts,
        scale: Scale,
        side: int,
        views: int,
        drift: Tensor | None = None,
    ) -> None:
        self._ascent = ascent
        self._parts = parts
        self._layout = scale.layout
        self._side = side
        self._usual = (scale.seen + scale.beyond) * (views / len(scale.sights))
        self.drift = torch.zeros_like(scale.source) if drift is None else drift

    def change(self, sights: Sequence[Sight], texels: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """By how much to change the texels (3xN), and what the objective is worth. Yields between views."""
        total, worth = texels.new_zeros(4, texels.shape[1]), 0.0
        for number, sight in enumerate(sights):
            if number:
                yield Part(number / len(sights), worth / number)
            wanted, value = yield from as_part_of(self._wanted(sight, texels), number, len(sights))
            total += sight.splat(wanted, texels.shape[1])
            worth += value / len(sights)
        self.drift = self._mean(total).add_(self.drift, alpha=MOMENTUM)
        return self._sized(self.drift), worth

    def _wanted(self, sight: Sight, texels: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """4xP: the change that each pixel wants, times its weight, and the weight."""
        view = sight.view
        picture = sight.picture(texels, self._ascent.settings)
        change, value = yield from wanted_of(sight, picture, self._ascent, self._parts, self._side)
        wanted = change[0].flatten(1)[:, view.pixels]
        return torch.cat([wanted * view.weight, view.weight[None]]), value

    def _mean(self, total: Tensor) -> Tensor:
        """3xN: the mean over the pixels, spread to texels between them; less where the step's views see a texel less
        well than others do, lest a grazing one has its way alone."""
        parts = []
        for sheet, usual in zip(self._layout.split(total), self._layout.split(self._usual), strict=True):
            weight = sheet[:, 3:]
            mean = sheet[:, :3] / weight.maximum(usual).clamp_min_(1e-6)
            parts.append(filled(mean, weight.gt(1e-6), REACH))
        return self._layout.join(parts)

    def _sized(self, change: Tensor) -> Tensor:
        """Of the settings' step size, in the mean over the texels that it touches."""
        touched = change.ne(0).any(0)
        mean = change.abs().sum() / (3 * touched.sum()).clamp_min(1)
        return change * (self._ascent.settings.step_size / mean.clamp_min(torch.finfo(change.dtype).tiny))
