# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream, from an image to an image. Read this first.

A network looks at the image; the image is changed, step by step, so that what the network sees in it grows. That is
done on a small version of the image first, then on larger ones (octaves), each keeping the source's own detail:
Mordvintsev, Olah and Tyka, "Inceptionism", 2015, https://github.com/google/deepdream.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol.messages import Progress
from ..protocol.settings import DreamSettings
from . import dreamspace
from .ascent import Ascent
from .brain import Brain
from .images import Image
from .masks import dream_mask
from .memory import memory_errors
from .motion import moved
from .octaves import Size, Wrap, octave_sizes, resize, resize_picture, with_margin, without_margin
from .pace import Pace
from .precision import automatic
from .preview import Preview, Show
from .regions import Region, areas_of
from .restraint import restrain, with_colors_of
from .steps import finish
from .temporal import ALONE, Chain, Coherence
from .tiling import automatic_side
from .wanted import Load, all_objectives, no_other_brain

ENGINE_VERSION = "7"
"""Raised whenever the same request would come to other bits."""


def dream(  # noqa: PLR0913  (all that a dream may be given, most of it by name)
    image: Image,
    brain: Brain,
    settings: DreamSettings,
    mask: NDArray[np.float32] | None = None,
    guide: Image | None = None,
    *,
    regions: Sequence[Region] = (),
    load: Load = no_other_brain,
    chain: Chain = ALONE,
    show: Show | None = None,
) -> Generator[Progress, None, Image]:
    """Dream the image: yields its progress after every step and between its tiles, then returns the result.

    image: any size from 1x1, any colour space, any range; moved first as the settings say. settings: those of
    `settings.brain` are taken from `brain`.
    mask: heightxwidth in [0, 1]; stretched to the image; scales how strongly a pixel dreams, 0 leaves it bit for bit.
    guide: any image, for the objectives that need one. regions: parts that dream of their own, within the mask.
    load: finds the further brains that layers are of. show: takes a JPEG of the dream so far, now and then.
    chain: what the frame before it, if it is one of a shot, hands on to it.
    The result has the image's size, channels, colour space and alpha. The same seed gives the same bits wherever
    `fingerprint` is the same. Stop iterating to cancel: nothing is left behind. `dream_to_end` waits for the result.
    Raises UnknownLayerError, UnknownBrainError, SettingsError, ImageError (a mask that is none), OutOfMemoryError.
    """
    with memory_errors():
        wrap = Wrap(rows=settings.seamless in ("y", "both"), columns=settings.seamless in ("x", "both"))
        still, image = image, moved(image, settings, wrap)
        source = _seen(image, settings, wrap, brain.device)
        # of the whole of it: what a zoom shows of the colours would drift from frame to frame
        palette = source if image is still else _seen(still, settings, wrap, brain.device)
        where = with_margin(dream_mask(mask, dreamspace.dreamable(image), brain.device), wrap)
        sizes = octave_sizes(Size(*source.shape[-2:]), settings.octaves, settings.octave_scale)
        brains, (whole, *parts) = all_objectives(settings, guide, regions, brain, load, len(sizes))
        areas = areas_of(whole, zip(regions, parts, strict=True), image.size, wrap, brain.device)
        ascent = Ascent.of(brains, settings, wrap)
        coherence = Coherence(chain, settings, wrap)
        pace = Pace(sizes, coherence.steps)
        preview = Preview(show, source, where, settings.strength, wrap)
        detail = torch.zeros(1, 3, 1, 1, device=brain.device)
        for octave, size in enumerate(sizes, 1):
            base, mask_here = (resize_picture(picture, size, wrap) for picture in (source, where))
            areas_here = [area.at(octave, size, wrap) for area in areas]
            everywhere = bool(mask_here.eq(1).all())
            dreamt = coherence.begin(base, resize(detail, size, wrap), last=octave == len(sizes)).clamp_(0, 1)
            for _ in range(coherence.steps):
                seen = dreamt if everywhere else torch.lerp(base, dreamt, mask_here)
                change, value = yield from pace.during_step(ascent.step(seen, mask_here, areas_here))
                dreamt = restrain(dreamt.add_(coherence.paced(change)).clamp_(0, 1), base, settings, wrap)
                # each is as large as the image, and the next step makes its own
                del change, seen
                preview.offer(base, dreamt)
                yield pace.after_step(value)
            if settings.color == "source":
                dreamt = with_colors_of(dreamt, resize_picture(palette, size, wrap), mask_here)
            detail = dreamt.sub_(base)
        detail = coherence.end(detail)
        # in place: each of these may take hundreds of megabytes
        dreamt = detail.mul_(settings.strength * where).add_(source).clamp_(0, 1)
        before, after = (without_margin(picture, wrap) for picture in (source, dreamt))
        return dreamspace.bring_home(image, before, after, settings.exposure, settings.highlights)


def _seen(image: Image, settings: DreamSettings, wrap: Wrap, device: torch.device) -> Tensor:
    """1x3xHxW, dream space, with its margin."""
    return with_margin(dreamspace.enter(image, settings.exposure, device, settings.highlights), wrap)


def dream_to_end(
    image: Image,
    brain: Brain,
    settings: DreamSettings,
    mask: NDArray[np.float32] | None = None,
    guide: Image | None = None,
    *,
    regions: Sequence[Region] = (),
    load: Load = no_other_brain,
) -> Image:
    """What `dream` returns, for those who need no progress."""
    return finish(dream(image, brain, settings, mask, guide, regions=regions, load=load))


def fingerprint(device: torch.device | str) -> str:
    """All that decides a dream's bits besides images, brain and settings; what an automatic setting comes to, too.

    The precision is that of brains which have a choice: the others calculate in float32, whatever is said here.
    """
    kind = torch.device(device)
    if kind.type == "cuda":
        unit = torch.cuda.get_device_name(kind)
    else:
        unit = f"{torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()} threads"
    versions = f"engine {ENGINE_VERSION}, torch {torch.__version__}, numpy {np.__version__}"
    return f"{versions}, {kind.type} {unit}, tile {automatic_side(kind)}, precision {automatic(kind)}"
