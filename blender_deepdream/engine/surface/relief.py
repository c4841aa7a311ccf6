# SPDX-License-Identifier: GPL-3.0-or-later
"""A relief for surfaces, which dreams in their light and shade: heights are changed so that what the network sees in
the views grows, while the textures stand still."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from statistics import median

import torch
from torch import Tensor

from ...protocol.messages import ColorSpace, Progress
from ...protocol.settings import DreamSettings
from ..ascent import Ascent, Part, as_part_of
from ..brain import Brain
from ..images import Image
from ..memory import memory_errors
from ..octaves import NO_WRAP, Size, octave_sizes, resize
from ..pace import Pace
from ..smoothing import smooth
from ..wanted import Load, all_objectives, no_other_brain
from .dream import turns_of
from .ground import Ground
from .regions import Parts, Region
from .scale import Scale
from .sheets import Sheet, bare, sharpest
from .sight import Sight
from .step import wanted_of
from .textures import filled
from .ties import tied
from .views import View, decoded, exposed, seeing

STEP = 20.0
"""Of heights, in a view's pixels: for a step size of 1 and a depth of 1."""
_VIEWS = 8
"""Of a step: heights follow the gradient of several, where colours take the mean of what all want."""
_SMOOTHING = 1
"""Scales more than colours have: a relief is made of larger forms."""
_STEEPEST = 4.0
"""A step changes no height by more than so many times what it changes them by in the mean."""
_SETTLING = 0.98
"""What each step leaves of a height: what does not grow goes."""
_LEAST_SEEN = 0.1
"""Share of the mean weight of texels below which one is not changed as much as others."""


def dream_relief(  # noqa: PLR0913  (as `dream_surface`)
    views: Sequence[View],
    grounds: Sequence[Ground],
    sheets: Sequence[Sheet],
    brain: Brain,
    settings: DreamSettings,
    depth: float,
    *,
    guide: Image | None = None,
    regions: Sequence[Region] = (),
    load: Load = no_other_brain,
) -> Generator[Progress, None, list[Image]]:
    """Heights of the sheets, as grey images in world units, 0 where nothing is to be changed.

    views, settings, guide, regions, load: as for `dream_surface`. grounds: of the views. sheets: with the textures that
    the relief is to lie under. depth: how deep it becomes, 1 in the usual case. Yields progress after every view and
    step. Raises as `dream_surface` does.
    """
    pairs = [(view, ground) for view, ground in zip(views, grounds, strict=True) if len(view.pixels)]
    views = seeing(views)
    with memory_errors():
        bases = [bare(sheet, brain.device) for sheet in sheets]
        sizes = octave_sizes(Size(views[0].side, views[0].side), settings.octaves, settings.octave_scale)
        brains, objectives = all_objectives(settings, guide, regions, brain, load, len(sizes))
        ascent = Ascent.of(brains, settings, NO_WRAP)
        turns, pace = turns_of(len(views), settings.seed), Pace(sizes, settings.steps)
        together = min(_VIEWS, len(views))
        full = sharpest(views, [sheet.side for sheet in sheets])
        heights: list[Tensor] = [base.new_zeros(1, 1, 1, 1) for base in bases]
        unit = STEP * depth * settings.step_size * median(ground.pixel for _, ground in pairs)
        for octave, size in enumerate(sizes, 1):
            sides = [max(8, round(side * size.width / sizes[-1].width)) for side in full]
            scale = Scale.of(views, sheets, bases, sides)
            parts = Parts.of([objective.in_octave(octave) for objective in objectives], regions, scale.layout, bases[0])
            step = _Carving(ascent, parts, scale, size.width)
            grown = [resize(height, Size(side, side)) for height, side in zip(heights, sides, strict=True)]
            carved = scale.layout.join(grown)
            for _ in range(settings.steps):
                chosen = list(itertools.islice(turns, together))
                looks = [(scale.sights[turn], pairs[turn][1]) for turn in chosen]
                change, value = yield from pace.during_step(step.change(looks, carved))
                carved = carved.add_(change, alpha=unit * sizes[-1].width / size.width).mul_(_SETTLING)
                yield pace.after_step(value)
            heights = _ended(scale, carved, tie=octave == len(sizes))
        return [_finished(height, sheet.side) for height, sheet in zip(heights, sheets, strict=True)]


class _Carving:
    """What stays the same from step to step of an octave. side: of the octave's pictures."""

    def __init__(self, ascent: Ascent, parts: Parts, scale: Scale, side: int) -> None:
        self._ascent, self._parts, self._scale, self._side = ascent, parts, scale, side

    def change(
        self, looks: Sequence[tuple[Sight, Ground]], carved: Tensor
    ) -> Generator[Part, None, tuple[Tensor, float]]:
        """By how much to change heights (1xN), 1 in the mean, and what the objective is worth. Yields between views."""
        total, worth = carved.new_zeros(2, carved.shape[1]), 0.0
        for number, (sight, ground) in enumerate(looks):
            if number:
                yield Part(number / len(looks), worth / number)
            gradient, value = yield from as_part_of(self._gradient(sight, ground, carved), number, len(looks))
            total += torch.cat([gradient, sight.first.splat(sight.view.weight[None], carved.shape[1])])
            worth += value / len(looks)
        return self._even(total), worth

    def _gradient(self, sight: Sight, ground: Ground, carved: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """1xN: how what the network wants of a view's picture grows with each height."""
        view, settings, mask = sight.view, self._ascent.settings, self._scale.mask
        heights = sight.first.sample(carved if mask is None else carved * mask)
        seen = _spread(view, decoded(sight.first.sample(self._scale.source)))
        with torch.enable_grad():
            lit = ground.lit(_spread(view, heights.requires_grad_())[0])
            picture = exposed(view.dark + view.light * lit * seen, settings.exposure, settings.highlights)[None]
        change, value = yield from wanted_of(sight, picture.detach(), self._ascent, self._parts, self._side)
        (wanted,) = torch.autograd.grad(picture, heights, change * _spread(view, view.weight[None]))
        # splatted by hand: torch's own gradient of a gather is not the same from run to run on several threads
        gradient = sight.first.splat(wanted, carved.shape[1])
        return gradient if mask is None else gradient.mul_(mask), value

    def _even(self, total: Tensor) -> Tensor:
        """The mean over the pixels, smoothed, without peaks."""
        gradient, weight = total[:1], total[1:]
        touched = weight > 0
        least = _LEAST_SEEN * weight.sum() / touched.sum().clamp_min(1)
        sheets = self._scale.layout.split(gradient / weight.maximum(least).clamp_min(1e-6))
        scales = self._ascent.settings.smoothing + _SMOOTHING
        change = self._scale.layout.join([smooth(sheet.contiguous(), scales) for sheet in sheets]) * touched
        mean = change.abs().sum() / touched.sum().clamp_min(1)
        return change.div_(mean.clamp_min(torch.finfo(change.dtype).tiny)).clamp_(-_STEEPEST, _STEEPEST)


def _spread(view: View, values: Tensor) -> Tensor:
    """CxHxW from CxP: a picture of a view, 0 where it sees no surface."""
    flat = values.new_zeros(len(values), view.side * view.side)
    return flat.index_copy(1, view.pixels, values).view(-1, view.side, view.side)


def _ended(scale: Scale, carved: Tensor, *, tie: bool) -> list[Tensor]:
    """1x1xSxS: heights of the sheets as their masks have them, filled in where no view sees them."""
    shown = carved if scale.mask is None else carved * scale.mask
    heights = scale.layout.split(tied(shown, scale.sights, scale.seen) if tie else shown)
    return [
        filled(height, known)
        for height, known in zip(heights, scale.layout.split(scale.seen + scale.beyond), strict=True)
    ]


def _finished(height: Tensor, side: int) -> Image:
    full = resize(height, Size(side, side))[0].permute(1, 2, 0).cpu().numpy()
    return Image(full, ColorSpace.LINEAR_REC709)
