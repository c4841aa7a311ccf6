# SPDX-License-Identifier: GPL-3.0-or-later
"""One image file in, one dreamed image file out: what the worker and the command line have in common.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import torch

from ..engine.brain import Brain
from ..engine.dream import dream
from ..engine.image_output import write_image
from ..engine.images import Image, read_image, read_mask
from ..engine.nothing import named
from ..engine.preview import Show
from ..protocol.errors import InputError
from ..protocol.messages import ColorSpace, Progress
from ..protocol.settings import DreamSettings


def dream_file(
    source: Path,
    target: Path,
    brain: Brain,
    settings: DreamSettings,
    color_space: ColorSpace,
    *,
    mask: Path | None,
    guide: Path | None,
    show: Show | None = None,
) -> Generator[Progress, None, Image]:
    """Read, dream and write an image: yields progress after every tile and step, returns the result.

    source: a file, or the name of an image of nothing (`engine.nothing`). guide: a file, for objectives that need one.
    show: takes a JPEG of the dream so far, now and then.
    Stop iterating to cancel: nothing has been written then. Raises ImageError, StorageError and what `dream` raises.
    """
    image = named(str(source), settings.seed) or read_image(source, color_space)
    where = None if mask is None else read_mask(mask)
    result = yield from dream(image, brain, settings, where, None if guide is None else read_image(guide), show)
    write_image(result, target)
    return result


def choose_device(name: str, threads: int | None) -> torch.device:
    """The device of that name; "auto" takes the fastest there is. threads: CPU threads, None for torch's choice.

    Raises InputError if there is no such device here.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA says so with an AssertionError
        raise InputError(
            f"There is no device {name!r} here.", "Devices are auto, cpu, cuda (NVIDIA) and mps (Apple)."
        ) from error
    return device
