# SPDX-License-Identifier: GPL-3.0-or-later
"""From an image to what a network sees, and the dream's way home into the image.

Only the difference that the dream made is brought home and added to the source, so that a pixel that did not dream
comes back bit for bit, and light above 1 survives: beyond what the network sees, or, rolled off, as a part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol.messages import ColorSpace
from .color import REC709_LUMINANCE, Array, enter_dream, leave_dream
from .images import Image

BAND_PIXELS = 2**20
"""How much of an image is converted at a time."""


def enter(image: Image, exposure: float, device: torch.device, highlights: str = "clip") -> Tensor:
    """The image in dream space: 1x3xHxW, RGB, sRGB-encoded, [0, 1], straight alpha; grey as three equal channels.

    Transparent pixels are black. NaN and infinity become black and white: see `dreamable`.
    exposure: stops by which a scene-linear image is brightened first. highlights: what becomes of its light above
    white, as in `DreamSettings`.
    """
    planes = np.empty((3, image.height, image.width), np.float32)
    for rows in _bands(image):
        part = replace(image, pixels=image.pixels[rows])
        planes[:, rows] = enter_dream(part.straight_color(), image.color_space, exposure, highlights).transpose(2, 0, 1)
    return torch.from_numpy(planes)[None].to(device)


def dreamable(image: Image) -> NDArray[np.bool_]:
    """HxW: true where a pixel can dream. One that is transparent, or NaN or infinite in any channel, comes back as it
    was."""
    # channel by channel: a reduction along so short an axis takes five times as long
    finite: NDArray[np.bool_] = reduce(np.logical_and, np.isfinite(image.pixels).transpose(2, 0, 1))
    visible = np.True_ if image.alpha is None else image.alpha > 0
    return np.logical_and(finite, visible)


def bring_home(image: Image, base: Tensor, dream: Tensor, exposure: float, highlights: str = "clip") -> Image:
    """The image with what the dream changed, in its own colour space, exposure, channels and kind of alpha.

    base, dream: 1x3xHxW, dream space, entered with the same exposure and highlights; where they are equal the image's
    pixel comes back bit for bit, as does alpha.
    """
    pixels = image.pixels.copy()
    for rows in _bands(image):
        before, after = (_to_array(tensor[..., rows, :]) for tensor in (base, dream))
        moved = (before != after).any(axis=2)
        home = partial(leave_dream, exposure=exposure, highlights=highlights)
        detail = _detail(image, before[moved][None], after[moved][None], home)[0]
        if image.premultiplied and image.alpha is not None:
            detail = detail * image.alpha[rows][moved][:, None]
        pixels[rows][moved, : detail.shape[1]] += detail
    return replace(image, pixels=pixels)


def _bands(image: Image) -> Iterator[slice]:
    """Rows of the image, a band at a time: conversions take many times the memory of what they convert."""
    height = max(1, BAND_PIXELS // image.width)
    return (slice(top, top + height) for top in range(0, image.height, height))


def _detail(image: Image, before: Array, after: Array, home: Callable[[Array, ColorSpace], Array]) -> Array:
    """What the dream changed, HxWxC: in the image's colour space, or how much lighter if the image is grey."""
    if image.color.shape[2] == 3:
        return home(after, image.color_space) - home(before, image.color_space)
    space = ColorSpace.SRGB if image.color_space == ColorSpace.SRGB else ColorSpace.LINEAR_REC709
    change = home(after, space) - home(before, space)
    return (change @ REC709_LUMINANCE)[..., None].astype(np.float32)


def _to_array(tensor: Tensor) -> Array:
    array: Array = tensor[0].permute(1, 2, 0).cpu().numpy()
    return array
