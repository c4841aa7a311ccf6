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

from torch import Tensor

from ...protocol.messages import Progress
from ...protocol.settings import DreamSettings
from ..ascent import Ascent
from ..brain import Brain
from ..images import Image
from ..memory import memory_errors
from ..octaves import NO_WRAP, Size, octave_sizes
from ..pace import Pace
from ..preview import Show
from ..wanted import Load, all_objectives, no_other_brain
from .regions import Parts, Region
from .scale import Scale
from .sheets import Dreamt, Sheet, bare, sharpest
from .showing import Showing
from .standing import Keeper, Stand
from .step import Step
from .views import View, seeing

VIEWS_PER_STEP = 24
"""Enough for a texel to hear most of the views that it must please: with more, it pleases others better, and takes
longer."""


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
        brains, objectives = all_objectives(settings, guide, regions, brain, load, len(sizes))
        ascent = Ascent.of(brains, settings, NO_WRAP)
        keeper = keeper or Keeper()
        stand = keeper.last(brain.device)
        turns = turns_of(len(views), settings.seed, stand.turns if stand else 0)
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
            dreamt, drift, taken = scale.begin(details), None, 0
            if stand:
                dreamt, drift, taken = _gone_on(stand, ascent, pace, settings.steps)
                stand = None
            here = [objective.in_octave(octave) for objective in objectives]
            parts = Parts.of(here, regions, scale.layout, like=dreamt)
            step = Step(ascent, parts, scale, size.width, together, drift)
            for number in range(taken + 1, settings.steps + 1):
                sights = [scale.sights[turn] for turn in itertools.islice(turns, together)]
                shown = scale.shown(dreamt)
                change, value = yield from pace.during_step(step.change(sights, shown))
                dreamt = scale.restrained(dreamt.add_(change).clamp_(0, 1), settings)
                showing.offer(scale.sights, shown, settings)
                viewed = ((octave - 1) * settings.steps + number) * together
                keeper.offer(Stand(octave, number, viewed, ascent.numbers.getstate(), dreamt, step.drift))
                yield pace.after_step(value)
            details, seen = scale.end(dreamt, keep_colors=settings.color == "source", tie=octave == len(sizes))
        return Dreamt.of(sheets, bases, details, seen, settings)


def turns_of(count: int, seed: int, taken: int = 0) -> Iterator[int]:
    """Numbers of views without end, after those that were taken: each comes once before any comes again."""
    numbers = random.Random(f"views {seed}")
    rounds = (numbers.sample(range(count), count) for _ in itertools.count())
    return itertools.islice(itertools.chain.from_iterable(rounds), taken, None)


def _gone_on(stand: Stand, ascent: Ascent, pace: Pace, steps: int) -> tuple[Tensor, Tensor, int]:
    """The texels with which a dream goes on that has ended too early, as if it had not; their drift; steps taken."""
    ascent.numbers.setstate(stand.numbers)
    pace.skip((stand.octave - 1) * steps + stand.steps)
    return stand.texels, stand.drift, stand.steps
