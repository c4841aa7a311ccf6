# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes at which an image dreams, and the ways between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

MARGIN = 24
"""Pixels of mirrored image around the image that dream along and are cut off at the end. A network pads with black, and
a mirror kept at the border itself would make it a crease; both end here, out of sight."""


class Size(NamedTuple):
    """Of an image, in pixels."""

    height: int
    width: int

    @property
    def pixels(self) -> int:
        return self.height * self.width


def octave_sizes(full: Size, octaves: int, scale: float) -> tuple[Size, ...]:
    """Sizes from small to full, each `scale` times the one before, at least 1 pixel a side, each size once."""
    sizes = (Size(*(max(1, round(side / scale**octave)) for side in full)) for octave in reversed(range(octaves)))
    return tuple(dict.fromkeys(sizes))


def resize(image: Tensor, size: Size) -> Tensor:
    """1xCxHxW at another size, band-limited on the way down; at its own size it comes back bit for bit.

    Bicubic: may over- and undershoot the range of its input.
    """
    if tuple(image.shape[-2:]) == size:
        return image
    return functional.interpolate(image, size=tuple(size), mode="bicubic", align_corners=False, antialias=True)


def with_margin(image: Tensor) -> Tensor:
    """1xCxHxW with MARGIN more pixels on each side."""
    height, width = image.shape[-2:]
    return reflect(image, Size(height + 2 * MARGIN, width + 2 * MARGIN), MARGIN, MARGIN)


def without_margin(image: Tensor) -> Tensor:
    """Undoes `with_margin`."""
    return image[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def reflect(image: Tensor, size: Size, top: int, left: int) -> Tensor:
    """1xCxHxW inside a larger canvas, `top` and `left` pixels from its corner, mirrored outwards as often as it takes.

    Works from 1x1 up, where torch's own reflection refuses margins wider than the image.
    """
    rows = _mirrored(image.shape[-2], size.height, top).to(image.device)
    columns = _mirrored(image.shape[-1], size.width, left).to(image.device)
    return image.index_select(-2, rows).index_select(-1, columns)


def _mirrored(length: int, padded: int, before: int) -> Tensor:
    """Which source row stands in each row of the canvas: ... 2 1 0 | 0 1 2 ... n-1 | n-1 n-2 ..."""
    position = (torch.arange(padded) - before) % (2 * length)
    return torch.minimum(position, 2 * length - 1 - position)
