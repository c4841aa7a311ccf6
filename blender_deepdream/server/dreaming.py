# SPDX-License-Identifier: GPL-3.0-or-later
"""One image file in, one dreamed image file out: what the worker and the command line have in common.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import torch

from ..engine.color import enter_dream
from ..engine.dream import dream
from ..engine.image_output import write_image
from ..engine.images import Image, read_image, read_mask
from ..engine.nothing import named
from ..engine.preview import Show
from ..engine.regions import Region
from ..engine.temporal import ALONE, Chain
from ..engine.wanted import Load
from ..protocol.errors import ImageError, InputError
from ..protocol.messages import DreamRequest, Progress
from .heap import keep_freed_memory

ONE_COLOR = 1.5 / 255
"""What differs by less, in dream space, shows nothing: one step of 8 bits."""

Find = Callable[[str], Path]
"""Where the file of an image lies that a request names."""

Place = Callable[[Image, torch.device], Chain]
"""An image's place in its shot."""


def _alone(_source: Image, _device: torch.device) -> Chain:
    return ALONE


def dream_file(
    request: DreamRequest, target: Path, load: Load, find: Find, show: Show | None = None, place: Place = _alone
) -> Generator[Progress, None, Image]:
    """Read, dream and write an image: yields progress after every tile and step, returns the result.

    load: the brains, by name. show: takes a JPEG of the dream so far, now and then. place: the frame's in its shot.
    Stop iterating to cancel: nothing has been written then. Raises ImageError, StorageError, UnknownBrainError and what
    `dream` raises.
    """
    # a wrong name is said before anything large is read
    load(request.settings.brain)
    result = yield from dream_request(request, source_of(request, find), load, find, show, place)
    write_image(result, target)
    return result


def source_of(request: DreamRequest, find: Find) -> Image:
    """The image that a request begins with: a file's, or one of nothing. Raises ImageError."""
    nothing = named(request.source, request.settings.seed, request.color_space)
    return nothing or read_image(find(request.source), request.color_space)


def dream_request(
    request: DreamRequest, source: Image, load: Load, find: Find, show: Show | None = None, place: Place = _alone
) -> Generator[Progress, None, Image]:
    """Dream an image as a request wants it: its settings, mask, guide and regions.

    Raises as `dream_file` does.
    """

    def guide_of(blob: str | None) -> Image | None:
        return None if blob is None else read_guide(find(blob))

    settings = request.settings
    guide = guide_of(request.guide)
    regions = []
    for region in request.regions:
        wanted = region.settings(settings)
        own = guide_of(region.guide) or (guide if wanted.needs_guide else None)
        regions.append(Region(read_mask(find(region.mask)), wanted, own))
    mask = None if request.mask is None else read_mask(find(request.mask))
    brain = load(settings.brain)
    chain = place(source, brain.device)
    return (yield from dream(source, brain, settings, mask, guide, regions=regions, load=load, chain=chain, show=show))


def read_guide(path: Path) -> Image:
    """An image to be guided by. Raises ImageError for one that shows nothing, and as `read_image` does."""
    guide = read_image(path)
    seen = enter_dream(guide.straight_color(), guide.color_space, 0)
    if np.ptp(seen, axis=(0, 1)).max() < ONE_COLOR:
        raise ImageError(f"{path} is of one colour: there is nothing in it to dream of.", "Choose a picture of things.")
    return guide


def choose_device(name: str, threads: int | None, number: int = 0) -> torch.device:
    """The device of that name; "auto" takes the fastest there is. threads: CPU threads, None for torch's choice.
    number: which of several GPUs, round and round, where the name leaves that open. For a CPU this process's memory is
    made ready, too.

    Raises InputError if there is no such device here.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "cuda" and device.index is None and number:
            device = torch.device("cuda", number % torch.cuda.device_count())
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA says so with an AssertionError
        raise InputError(
            f"There is no device {name!r} here.", "Devices are auto, cpu, cuda (NVIDIA) and mps (Apple)."
        ) from error
    if device.type == "cpu":
        keep_freed_memory()
    return device
