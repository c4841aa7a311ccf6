# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves a source before it dreams: frame after frame, an endless zoom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..protocol.settings import DreamSettings
from .color import Array
from .images import Image
from .octaves import Size, Wrap, extend, resize

TAPS = Size(2, 2)
"""Pixels beyond its own that a place between pixels is made of, on each side."""

BAND_PIXELS = 2**20
"""How much of an image is moved at a time."""

WHITE = 1.0
"""The brightest that a picture shows; light above it glows."""

_BRIGHTEST = 65504.0
"""What infinite light becomes, so that it can be a part of its neighbours: half precision's largest number."""


def moved(image: Image, settings: DreamSettings, wrap: Wrap) -> Image:
    """The image after its zoom, turn and shift, in this order, about its centre: alpha too, premultiplied.

    Bicubic, band-limited where it becomes smaller; no value leaves the range that the image had. Beyond the edges it
    shows its mirror image, or, where it wraps, its other side. The same image if the settings move nothing. NaN becomes
    0 in one that is moved.
    """
    if not settings.moves:
        return image
    picture = torch.from_numpy(_clean(image).transpose(2, 0, 1).copy())[None]
    shown = picture.clamp(max=WHITE)
    glow = picture.sub_(shown)
    result = _moved(shown, settings, wrap)
    if glow.any():
        # apart: beside light of a thousand, a kernel's small negative part is more than all that is to be seen there
        result += _moved(glow, settings, wrap)
    return replace(image, pixels=np.ascontiguousarray(result[0].permute(1, 2, 0).numpy()), premultiplied=True)


def _moved(picture: Tensor, settings: DreamSettings, wrap: Wrap) -> Tensor:
    """1xCxHxW, in place. No value leaves the range that the picture had."""
    full = Size(*picture.shape[-2:])
    low, high = picture.min(), picture.max()
    small = Size(*(max(1, round(side * min(1.0, settings.zoom))) for side in full))
    seen = extend(resize(picture, small, wrap), TAPS, wrap)
    for rows in _bands(full):
        down, across = _origins(rows, full, settings)
        y = _index(down, full.height, small.height, wrap.rows)
        x = _index(across, full.width, small.width, wrap.columns)
        picture[..., rows, :] = _between(seen, y, x)
    return picture.clamp_(low, high)


def _clean(image: Image) -> Array:
    """HxWxC, finite and premultiplied."""
    pixels = np.nan_to_num(image.pixels, nan=0.0, posinf=_BRIGHTEST, neginf=0.0)
    if image.alpha is not None and not image.premultiplied:
        pixels[..., :-1] *= pixels[..., -1:]
    return pixels


def _origins(rows: slice, size: Size, settings: DreamSettings) -> tuple[Tensor, Tensor]:
    """Where each pixel of these rows comes from, in pixels from the top left corner: its y and its x, hxW."""
    middle_x, middle_y = size.width / 2, size.height / 2
    x = torch.arange(size.width)[None] + 0.5 - middle_x - settings.shift_x * size.width
    y = torch.arange(rows.start, rows.stop)[:, None] + 0.5 - middle_y + settings.shift_y * size.height
    angle = math.radians(settings.rotate)
    cosine, sine = math.cos(angle) / settings.zoom, math.sin(angle) / settings.zoom
    return sine * x + cosine * y + middle_y, cosine * x - sine * y + middle_x


def _index(place: Tensor, length: int, small: int, wraps: bool) -> Tensor:
    """A place along an axis as an index, whole in the middle of a pixel, into `small` pixels with TAPS at both ends."""
    if wraps:
        inside = place % length
    else:
        back = place % (2 * length)
        inside = torch.minimum(back, 2 * length - back)
    return inside * (small / length) - 0.5 + TAPS.width


def _between(picture: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """1xCxhxw: a 1xCxHxW picture between its pixels, at indices y and x (hxw).

    Catmull and Rom, "A class of local interpolating splines", 1974. torch's own `grid_sample` has a sharper kernel,
    which makes ripples of a gradient, and an endless zoom would make them grow.
    """
    top, left = y.floor(), x.floor()
    flat, width = picture[0].flatten(1), picture.shape[-1]
    corner = (top.long() - 1) * width + left.long() - 1
    found = torch.zeros(1, len(flat), *y.shape)
    for row, tall in enumerate(_weights(y - top)):
        for column, wide in enumerate(_weights(x - left)):
            found += flat[:, corner + (row * width + column)] * (tall * wide)
    return found


def _weights(t: Tensor) -> tuple[Tensor, ...]:
    """Of the four pixels around a place that lies t, in [0, 1), beyond the second."""
    return (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


def _bands(size: Size) -> Iterator[slice]:
    height = max(1, BAND_PIXELS // size.width)
    return (slice(top, min(top + height, size.height)) for top in range(0, size.height, height))
