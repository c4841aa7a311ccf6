# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream on surfaces: textures are changed so that what the network sees in views of them grows. Read this first.

No differentiable renderer is needed, because the geometry stands still: which texel a pixel sees is known once and for
all. In each step some views are shown with the textures of today; the network says how each picture should change
(`ascent`, as for any image); each texel takes the mean of what the pixels that see it want, those that face it having
more of a say. So a texture dreams the same from every side, across the edges of its islands, and cannot flicker.
lucid did this first, with a rasteriser of its own: Mordvintsev, Pezzotti, Schubert and Olah, "Differentiable Image
Parameterizations", 2018.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from ...protocol.messages import Progress
from ...protocol.settings import DreamSettings
from ..ascent import Ascent, Part, as_part_of
from ..brain import Brain
from ..images import Image
from ..memory import memory_errors
from ..objectives import Objective
from ..octaves import NO_WRAP, Size, octave_sizes, resize, resize_picture
from ..pace import Pace
from ..preview import Show
from ..regions import Area
from ..restraint import restrain, with_colors_of
from ..wanted import Load, brains_of, no_other_brain, objective_of
from .sheets import Dreamt, Sheet, bare, mask_of, sharpest
from .showing import Showing
from .textures import Footprint, Layout, filled
from .views import View, resized

VIEWS_PER_STEP = 8
"""Enough to see most of a surface, few enough for steps to differ, which keeps a dream from settling on one motif."""
REACH = 2
"""How far, as a power of two, a step's change reaches to texels that lie between those that pixels see."""


def dream_surface(
    views: Sequence[View],
    sheets: Sequence[Sheet],
    brain: Brain,
    settings: DreamSettings,
    guide: Image | None = None,
    *,
    load: Load = no_other_brain,
    show: Show | None = None,
) -> Generator[Progress, None, Dreamt]:
    """Dream the sheets that these views see: yields its progress after every view and step, then returns the result.

    views: square, of one size. settings: as for `dream`, where a step's size is a mean over the texels that it
    changes, and octaves are sizes of the views. guide, load, show: as for `dream`.
    The same seed gives the same bits wherever `dream.fingerprint` is the same. Stop iterating to cancel.
    Raises UnknownLayerError, UnknownBrainError, SettingsError, OutOfMemoryError.
    """
    with memory_errors():
        bases = [bare(sheet, brain.device) for sheet in sheets]
        sizes = octave_sizes(Size(views[0].side, views[0].side), settings.octaves, settings.octave_scale)
        brains = brains_of([settings], brain, load)
        objective = objective_of(settings, guide, brains, len(sizes))
        ascent = Ascent.of(brains, settings, NO_WRAP)
        turns = _turns(len(views), settings.seed)
        pace = Pace(sizes, settings.steps)
        showing = Showing(show, views)
        full = sharpest(views, [sheet.side for sheet in sheets])
        details: list[Tensor] = [base.new_zeros(1, 3, 1, 1) for base in bases]
        for octave, size in enumerate(sizes, 1):
            layout = Layout(tuple(max(8, round(side * size.width / sizes[-1].width)) for side in full))
            small = [resize_picture(base, Size(side, side)) for base, side in zip(bases, layout.sides, strict=True)]
            source = layout.join(small)
            mask = _mask(sheets, layout, brain.device)
            grown = [resize(one, Size(side, side)) for one, side in zip(details, layout.sides, strict=True)]
            dreamt = layout.join(grown).add_(source).clamp_(0, 1)
            prints = [layout.footprint(view.spots) for view in views]
            step = _Step(ascent, objective.in_octave(octave), layout, settings, size.width)
            for _ in range(settings.steps):
                chosen = [next(turns) for _ in range(min(VIEWS_PER_STEP, len(views)))]
                looks = [(views[number], prints[number]) for number in chosen]
                shown = dreamt if mask is None else torch.lerp(source, dreamt, mask)
                change, value = yield from pace.during_step(step.change(looks, shown))
                dreamt = _restrained(dreamt.add_(change).clamp_(0, 1), source, layout, settings)
                showing.offer(prints, shown, settings.exposure)
                yield pace.after_step(value)
            seen = _seen(views, prints, layout)
            if settings.color == "source":
                dreamt = _recolored(dreamt, source, seen, layout)
            details = [
                filled(detail, weight)
                for detail, weight in zip(layout.split(dreamt - source), layout.split(seen), strict=True)
            ]
        return Dreamt.of(sheets, bases, details, layout.split(seen), settings)


class _Step:
    """What stays the same from step to step of an octave. side: of the octave's pictures."""

    def __init__(
        self, ascent: Ascent, objective: Objective, layout: Layout, settings: DreamSettings, side: int
    ) -> None:
        self._ascent = ascent
        self._areas = (Area(objective),)
        self._layout = layout
        self._settings = settings
        self._side = side

    def change(
        self, looks: Sequence[tuple[View, Footprint]], texels: Tensor
    ) -> Generator[Part, None, tuple[Tensor, float]]:
        """By how much to change the texels (3xN), and what the objective is worth. Yields between views."""
        total, worth = texels.new_zeros(4, texels.shape[1]), 0.0
        for number, (view, footprint) in enumerate(looks):
            if number:
                yield Part(number / len(looks), worth / number)
            wanted, value = yield from as_part_of(self._wanted(view, footprint, texels), number, len(looks))
            total += footprint.splat(wanted, texels.shape[1])
            worth += value / len(looks)
        return self._normal(total), worth

    def _wanted(self, view: View, footprint: Footprint, texels: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """4xP: the change that each pixel wants, times its weight, and the weight."""
        picture = resized(view.picture(footprint, texels, self._settings.exposure), self._side)
        covered = resized(view.covered, self._side)
        part = (..., *view.window(self._side))
        change, value = yield from self._ascent.step(picture[part], covered[part], self._areas)
        whole = torch.zeros_like(picture)
        whole[part] = change * covered[part]
        grown = resize(whole, Size(view.side, view.side))
        wanted = grown[0].flatten(1)[:, view.pixels]
        return torch.cat([wanted * view.weight, view.weight[None]]), value

    def _normal(self, total: Tensor) -> Tensor:
        """The mean over the pixels, spread to texels between them, of the settings' step size in the mean."""
        parts = []
        for sheet in self._layout.split(total):
            weight = sheet[:, 3:]
            mean = sheet[:, :3] / weight.clamp_min(1e-6)
            parts.append(filled(mean, weight.gt(1e-6), REACH))
        change = self._layout.join(parts)
        touched = change.ne(0).any(0)
        mean = change.abs().sum() / (3 * touched.sum()).clamp_min(1)
        return change.mul_(self._settings.step_size / mean.clamp_min(torch.finfo(change.dtype).tiny))


def _mask(sheets: Sequence[Sheet], layout: Layout, device: torch.device) -> Tensor | None:
    """1xN: how strongly texels dream; None: all fully."""
    if not any(sheet.mask for sheet in sheets):
        return None
    return layout.join([mask_of(sheet, side, device) for sheet, side in zip(sheets, layout.sides, strict=True)])


def _turns(count: int, seed: int) -> Generator[int, None, None]:
    """Numbers of views without end: each comes once before any comes again."""
    numbers = random.Random(f"views {seed}")
    while True:
        yield from numbers.sample(range(count), count)


def _restrained(dreamt: Tensor, source: Tensor, layout: Layout, settings: DreamSettings) -> Tensor:
    if not (settings.total_variation or settings.pull):
        return dreamt
    pairs = zip(layout.split(dreamt), layout.split(source), strict=True)
    return layout.join([restrain(image, base, settings, NO_WRAP) for image, base in pairs]).clamp_(0, 1)


def _seen(views: Sequence[View], prints: Sequence[Footprint], layout: Layout) -> Tensor:
    """1xN: how much each texel is seen by all views."""
    seen = views[0].weight.new_zeros(1, layout.count)
    for view, footprint in zip(views, prints, strict=True):
        seen += footprint.splat(view.weight[None], layout.count)
    return seen


def _recolored(dreamt: Tensor, source: Tensor, seen: Tensor, layout: Layout) -> Tensor:
    sheets = zip(layout.split(dreamt), layout.split(source), layout.split(seen.gt(0).float()), strict=True)
    return layout.join([with_colors_of(image, base, mask) for image, base, mask in sheets])
