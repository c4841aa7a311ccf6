# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes at which an image dreams, and the ways between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

MARGIN = 24
"""Pixels of mirrored image around the image that dream along and are cut off at the end. A network pads with black, and
a mirror kept at the border itself would make it a crease; both end here, out of sight. Sides that wrap need none."""


class Size(NamedTuple):
    """Of an image, in pixels."""

    height: int
    width: int

    @property
    def pixels(self) -> int:
        return self.height * self.width


class Wrap(NamedTuple):
    """Along which axis an image goes on at its other side: down its rows, along its columns."""

    rows: bool
    columns: bool


NO_WRAP = Wrap(False, False)


def octave_sizes(full: Size, octaves: int, scale: float) -> tuple[Size, ...]:
    """Sizes from small to full, each `scale` times the one before, at least 1 pixel a side, each size once."""
    sizes = (Size(*(max(1, round(side / scale**octave)) for side in full)) for octave in reversed(range(octaves)))
    return tuple(dict.fromkeys(sizes))


def resize(image: Tensor, size: Size, wrap: Wrap = NO_WRAP) -> Tensor:
    """1xCxHxW at another size, band-limited on the way down; at its own size it comes back bit for bit.

    Bicubic: may over- and undershoot the range of its input.
    """
    before = Size(*image.shape[-2:])
    if before == size:
        return image
    around = [_seam(old, new) if wraps else (0, 0) for old, new, wraps in zip(before, size, wrap, strict=True)]
    more_before, more = (Size(*sides) for sides in zip(*around, strict=True))
    target = (size.height + 2 * more.height, size.width + 2 * more.width)
    wide = extend(image, more_before, wrap)
    return crop(functional.interpolate(wide, size=target, mode="bicubic", align_corners=False, antialias=True), more)


def resize_picture(picture: Tensor, size: Size, wrap: Wrap = NO_WRAP) -> Tensor:
    """`resize` for what lies in [0, 1] and shall stay there; at its own size it is the same tensor."""
    return picture if tuple(picture.shape[-2:]) == size else resize(picture, size, wrap).clamp_(0, 1)


def _seam(old: int, new: int) -> tuple[int, int]:
    """How many pixels of the other side to put at each end before resizing, and what they come to: all but whole."""
    pad = min(range(8, 65), key=lambda pad: abs(pad * new / old - round(pad * new / old)))
    return pad, round(pad * new / old)


def with_margin(image: Tensor, wrap: Wrap) -> Tensor:
    """1xCxHxW with MARGIN more pixels on each side that does not wrap."""
    return extend(image, margin(wrap), wrap)


def without_margin(image: Tensor, wrap: Wrap) -> Tensor:
    """Undoes `with_margin`."""
    return crop(image, margin(wrap))


def margin(wrap: Wrap) -> Size:
    return Size(*(0 if wraps else MARGIN for wraps in wrap))


def extend(image: Tensor, by: Size, wrap: Wrap) -> Tensor:
    """1xCxHxW with `by` more pixels at both ends of each axis, mirrored or wrapped as often as it takes.

    Works from 1x1 up, where torch's own padding refuses more than the image is wide.
    """
    for axis, more, wraps in zip((-2, -1), by, wrap, strict=True):
        length = image.shape[axis]
        if more:
            sees = source_positions(torch.arange(-more, length + more), length, wraps)
            image = image.index_select(axis, sees.to(image.device))
    return image


def crop(image: Tensor, by: Size) -> Tensor:
    """Undoes `extend`."""
    height, width = image.shape[-2:]
    return image[..., by.height : height - by.height, by.width : width - by.width]


def source_positions(places: Tensor, length: int, wraps: bool) -> Tensor:
    """Which pixel of an image shows at each place of an endless canvas, where the image lies at 0 to `length`.

    Mirrored: ... 2 1 0 | 0 1 2 ... n-1 | n-1 n-2 ... Wrapped: ... n-2 n-1 | 0 1 2 ... n-1 | 0 1 ...
    """
    if wraps:
        return places % length
    position = places % (2 * length)
    return torch.minimum(position, 2 * length - 1 - position)
