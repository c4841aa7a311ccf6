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

import itertools
import random
from collections.abc import Generator, Iterator, Sequence

import torch
from torch import Tensor

from ...protocol.messages import Progress
from ...protocol.settings import DreamSettings
from ..ascent import Ascent, Part, as_part_of
from ..brain import Brain
from ..images import Image
from ..memory import memory_errors
from ..octaves import NO_WRAP, Size, octave_sizes, resize
from ..pace import Pace
from ..preview import Show
from ..wanted import Load, brains_of, no_other_brain, objective_of
from .regions import Parts, Region
from .scale import Scale
from .sheets import Dreamt, Sheet, bare, sharpest
from .showing import Showing
from .sight import Sight
from .standing import Keeper, Stand
from .textures import Layout, filled
from .views import View, resized, seeing

VIEWS_PER_STEP = 8
"""Enough to see most of a surface, few enough for steps to differ, which keeps a dream from settling on one motif."""
REACH = 2
"""How far, as a power of two, a step's change reaches to texels that lie between those that pixels see."""


def dream_surface(  # noqa: PLR0913  (as `dream`)
    views: Sequence[View],
    sheets: Sequence[Sheet],
    brain: Brain,
    settings: DreamSettings,
    guide: Image | None = None,
    *,
    regions: Sequence[Region] = (),
    load: Load = no_other_brain,
    show: Show | None = None,
    keeper: Keeper | None = None,
) -> Generator[Progress, None, Dreamt]:
    """Dream the sheets that these views see: yields its progress after every view and step, then returns the result.

    views: square, of one size. settings: as for `dream`, where a step's size is a mean over the texels that it
    changes, and octaves are sizes of the views. guide, load, show: as for `dream`. regions: parts that dream of their
    own, within the sheets' masks.
    keeper: keeps where the dream stands, and knows where the same dream stood before.
    The same seed gives the same bits wherever `dream.fingerprint` is the same. Stop iterating to cancel.
    Raises UnknownLayerError, UnknownBrainError, SettingsError, OutOfMemoryError, ImageError (no view sees anything).
    """
    views = seeing(views)
    with memory_errors():
        bases = [bare(sheet, brain.device) for sheet in sheets]
        sizes = octave_sizes(Size(views[0].side, views[0].side), settings.octaves, settings.octave_scale)
        wishes = [(settings, guide), *((region.settings, region.guide) for region in regions)]
        brains = brains_of([wish for wish, _ in wishes], brain, load)
        objectives = [objective_of(*wish, brains, len(sizes)) for wish in wishes]
        ascent = Ascent.of(brains, settings, NO_WRAP)
        keeper = keeper or Keeper()
        stand = keeper.last(brain.device)
        turns = _turns(len(views), settings.seed, stand.turns if stand else 0)
        pace = Pace(sizes, settings.steps)
        showing = Showing(show, len(views))
        together = min(VIEWS_PER_STEP, len(views))
        full = sharpest(views, [sheet.side for sheet in sheets])
        details: list[Tensor] = [base.new_zeros(1, 3, 1, 1) for base in bases]
        for octave, size in enumerate(sizes, 1):
            if stand and octave < stand.octave:
                continue
            sides = [max(8, round(side * size.width / sizes[-1].width)) for side in full]
            scale = Scale.of(views, sheets, bases, sides)
            dreamt, taken = scale.begin(details), 0
            if stand:
                dreamt, taken, stand = _gone_on(stand, ascent, pace, settings.steps), stand.steps, None
            here = [objective.in_octave(octave) for objective in objectives]
            parts = Parts.of(here, regions, scale.layout, like=dreamt)
            step = _Step(ascent, parts, scale.layout, settings, size.width)
            for number in range(taken + 1, settings.steps + 1):
                sights = [scale.sights[turn] for turn in itertools.islice(turns, together)]
                shown = scale.shown(dreamt)
                change, value = yield from pace.during_step(step.change(sights, shown))
                dreamt = scale.restrained(dreamt.add_(change).clamp_(0, 1), settings)
                showing.offer(scale.sights, shown, settings)
                steps = (octave - 1) * settings.steps + number
                keeper.offer(Stand(octave, number, steps * together, ascent.numbers.getstate(), dreamt))
                yield pace.after_step(value)
            details, seen = scale.end(dreamt, keep_colors=settings.color == "source", tie=octave == len(sizes))
        return Dreamt.of(sheets, bases, details, seen, settings)


class _Step:
    """What stays the same from step to step of an octave. side: of the octave's pictures."""

    def __init__(self, ascent: Ascent, parts: Parts, layout: Layout, settings: DreamSettings, side: int) -> None:
        self._ascent = ascent
        self._parts = parts
        self._layout = layout
        self._settings = settings
        self._side = side

    def change(self, sights: Sequence[Sight], texels: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """By how much to change the texels (3xN), and what the objective is worth. Yields between views."""
        total, worth = texels.new_zeros(4, texels.shape[1]), 0.0
        for number, sight in enumerate(sights):
            if number:
                yield Part(number / len(sights), worth / number)
            wanted, value = yield from as_part_of(self._wanted(sight, texels), number, len(sights))
            total += sight.splat(wanted, texels.shape[1])
            worth += value / len(sights)
        return self._normal(total), worth

    def _wanted(self, sight: Sight, texels: Tensor) -> Generator[Part, None, tuple[Tensor, float]]:
        """4xP: the change that each pixel wants, times its weight, and the weight."""
        view = sight.view
        picture = resized(sight.picture(texels, self._settings), self._side)
        covered = resized(view.covered, self._side)
        window = view.window(self._side)
        part, areas = (..., *window), self._parts.areas(sight, self._side, window)
        change, value = yield from self._ascent.step(picture[part], covered[part], areas)
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


def _turns(count: int, seed: int, taken: int) -> Iterator[int]:
    """Numbers of views without end, after those that were taken: each comes once before any comes again."""
    numbers = random.Random(f"views {seed}")
    rounds = (numbers.sample(range(count), count) for _ in itertools.count())
    return itertools.islice(itertools.chain.from_iterable(rounds), taken, None)


def _gone_on(stand: Stand, ascent: Ascent, pace: Pace, steps: int) -> Tensor:
    """The texels with which a dream goes on that has ended too early, as if it had not."""
    ascent.numbers.setstate(stand.numbers)
    pace.skip((stand.octave - 1) * steps + stand.steps)
    return stand.texels
