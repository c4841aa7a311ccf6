# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream, from an image to an image. Read this first.

A network looks at the image; the image is changed, step by step, so that what the network sees in it grows. That is
done on a small version of the image first, then on larger ones (octaves), each keeping the source's own detail:
Mordvintsev, Olah and Tyka, "Inceptionism", 2015, https://github.com/google/deepdream.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from ..protocol.errors import OutOfMemoryError
from ..protocol.messages import Progress
from ..protocol.settings import DreamSettings
from . import dreamspace, objectives
from .ascent import ascend
from .brain import Brain
from .images import Image
from .masks import dream_mask
from .octaves import Size, octave_sizes, resize, with_margin, without_margin
from .pace import Pace

ENGINE_VERSION = "1"
"""Raised whenever the same request would come to other bits."""


def dream(
    image: Image, brain: Brain, settings: DreamSettings, mask: NDArray[np.float32] | None = None
) -> Generator[Progress, None, Image]:
    """Dream the image: yields its progress after every step, then returns the result (`dream_to_end` waits for it).

    image: any size from 1x1, any colour space, any range. settings: those of `settings.brain` are taken from `brain`.
    mask: heightxwidth in [0, 1]; stretched to the image; scales how strongly a pixel dreams, 0 leaves it bit for bit.
    The result has the image's size, channels, colour space and alpha. The same seed gives the same bits wherever
    `fingerprint` is the same. Stop iterating to cancel: nothing is left behind.
    Raises UnknownLayerError, SettingsError, ImageError (a mask that is none), OutOfMemoryError.
    """
    objective = objectives.of_layers(settings.layers or brain.card.default_layers)
    shifts = _shifts(settings.seed, settings.jitter)
    with memory_errors():
        source = with_margin(dreamspace.enter(image, settings.exposure, brain.device))
        where = with_margin(dream_mask(mask, dreamspace.dreamable(image), brain.device))
        sizes = octave_sizes(Size(*source.shape[-2:]), settings.octaves, settings.octave_scale)
        pace = Pace(sizes, settings.steps)
        detail = torch.zeros_like(source)
        for size in sizes:
            base, mask_here = resize(source, size).clamp(0, 1), resize(where, size).clamp(0, 1)
            dreamt = (base + resize(detail, size)).clamp(0, 1)
            for _ in range(settings.steps):
                seen = torch.lerp(base, dreamt, mask_here)
                change, value = ascend(seen, mask_here, brain, objective, settings, next(shifts))
                dreamt = (dreamt + change).clamp(0, 1)
                yield pace.after_step(value)
            detail = dreamt - base
        dreamt = (source + settings.strength * where * detail).clamp(0, 1)
        return dreamspace.bring_home(image, without_margin(source), without_margin(dreamt), settings.exposure)


def dream_to_end(image: Image, brain: Brain, settings: DreamSettings, mask: NDArray[np.float32] | None = None) -> Image:
    """What `dream` returns, for those who need no progress."""
    steps = dream(image, brain, settings, mask)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Image = end.value
            return result


def fingerprint(device: torch.device | str) -> str:
    """All that decides a dream's bits besides image, mask, brain and settings."""
    kind = torch.device(device)
    if kind.type == "cuda":
        unit = torch.cuda.get_device_name(kind)
    else:
        unit = f"{torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()} threads"
    return f"engine {ENGINE_VERSION}, torch {torch.__version__}, numpy {np.__version__}, {kind.type} {unit}"


@contextmanager
def memory_errors() -> Iterator[None]:
    """Has a device that runs out of memory say so as OutOfMemoryError."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _out_of_memory() from error
    except RuntimeError as error:
        # The CPU allocator has no exception of its own
        if "not enough memory" in str(error) or "can't allocate memory" in str(error):
            raise _out_of_memory() from error
        raise


def _out_of_memory() -> OutOfMemoryError:
    return OutOfMemoryError(
        "There is too little memory to dream an image of this size.",
        "Dream a smaller image, or an earlier layer, or close other programs.",
    )


def _shifts(seed: int, jitter: int) -> Iterator[Size]:
    """Endless random shifts of the network's grid, up to `jitter` pixels each way: the only randomness of a dream."""
    numbers = random.Random(seed)
    while True:
        yield Size(numbers.randint(0, jitter), numbers.randint(0, jitter))
