# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of any size in bounded memory: the network looks at one tile after the other.

Tiles overlap, and their gradients are blended. Close to a tile's edge the network does not see what lies beyond, so
there a tile does not count; further in it fades up while its neighbour fades down. The grid lies elsewhere in every
step, and all tiles of a step share the cells of the network, so that neighbours agree. What is measured over the image
(deviation, smoothing, step size) is measured over the whole of it, never over a tile: that would show as a seam.
"""

from __future__ import annotations

import itertools
import logging
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from ..protocol.errors import OutOfMemoryError, SettingsError
from .octaves import Size, Wrap
from .smoothing import magnitude
from .strips import Strip, strips, whole_cells

log = logging.getLogger(__name__)

AUTOMATIC = {"cpu": 768, "mps": 1024, "cuda": 1536}
"""Side of a tile in pixels, where nobody says otherwise. By the kind of device and nothing else, because the tile
decides the bits of a large image, and the same request shall come to the same bits whatever else fills the memory."""

MIN_CELLS = 4
"""A tile has at least this many cells a side: its neighbours take half of it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image that the network looks at.

    share: of the image, by the weight of its pixels; all tiles' come to 1. extent: its area beside the largest tile's.
    """

    rows: Strip
    columns: Strip
    share: float
    extent: float

    def read(self, image: Tensor) -> Tensor:
        """What the tile shows of a 1xCxHxW image, in memory of its own."""
        for axis, strip in ((-2, self.rows), (-1, self.columns)):
            image = torch.cat([run.of(image, axis) for run in strip.runs], dim=axis)
        return image


class Mosaic:
    """The gradient of a whole image (1xCxHxW), put together from those of its tiles.

    Where two tiles meet, what they do not agree on cancels out in part, and a fainter line would remain. How much they
    agree is measured by the energy that blending loses, and made good for.
    """

    def __init__(self, size: Size) -> None:
        self._size = size
        self._gradient = torch.empty(0)
        self._purity = torch.ones(1, 1)
        self._energy, self._mixed_energy = torch.zeros(()), torch.zeros(())

    def add(self, tile: Tile, gradient: Tensor) -> None:
        """One more tile's, up to a factor that all tiles have in common."""
        rows, columns = tile.rows, tile.columns
        if rows.covers and columns.covers:
            # nothing to blend: neither its memory nor its time
            row, column = rows.pieces[0], columns.pieces[0]
            self._gradient = gradient.new_zeros((*gradient.shape[:2], *self._size))
            self._gradient[..., row.image, column.image] = gradient[..., row.tile, column.tile]
            return
        if not self._gradient.numel():
            self._gradient = gradient.new_zeros((*gradient.shape[:2], *self._size))
            self._purity = torch.outer(rows.purity, columns.purity).to(gradient.device)
            self._energy, self._mixed_energy = gradient.new_zeros(()), gradient.new_zeros(())
        weighted = gradient * torch.outer(rows.weight, columns.weight).to(gradient.device)
        for row, column in itertools.product(rows.pieces, columns.pieces):
            part = weighted[..., row.tile, column.tile]
            energy = part * gradient[..., row.tile, column.tile]
            self._energy += energy.sum()
            self._mixed_energy += energy.mul_(1 - self._purity[row.image, column.image]).sum()
            self._gradient[..., row.image, column.image] += part

    def finish(self) -> Tensor:
        """The gradient, as strong where tiles meet as elsewhere."""
        if not self._energy:
            return self._gradient
        lost = self._energy - magnitude(self._gradient).square()
        agreement = (1 - lost / self._mixed_energy.clamp_min(torch.finfo(lost.dtype).tiny)).clamp(0, 1)
        return self._gradient.div_(self._purity.lerp_(self._purity.new_ones(()), agreement).sqrt_())


class Tiling:
    """How large the tiles of a dream are: as they were asked for, or smaller once memory ran out.

    side: pixels, 0 for what is AUTOMATIC on this device. smallest: side of the smallest image that the network takes.
    """

    def __init__(self, side: int, device: torch.device, smallest: int = 1) -> None:
        self.side = side or automatic_side(device)
        self._smallest = smallest

    def tiles(self, size: Size, stride: int, shift: Size, wrap: Wrap, numbers: random.Random) -> tuple[Tile, ...]:
        """Tiles for an image of this size, in another place each time if there are several.

        stride: their sides are divisible by it. shift: how far the network's cells are moved, in pixels, below stride.
        Raises SettingsError for tiles too small for this stride.
        """
        if self.side < self._least(stride):
            raise SettingsError(
                f"tile = {self.side} is too small for these layers, whose cells are up to {stride} pixels wide.",
                f"Give at least {self._least(stride)}, or 0 to have it chosen.",
            )
        side, least = self.side - self.side % stride, whole_cells(self._smallest, stride)
        axes = zip(size, shift, wrap, strict=True)
        rows, columns = (
            strips(length, offset, stride, side, least, wraps, numbers=numbers) for length, offset, wraps in axes
        )
        largest = max(map(len, rows)) * max(map(len, columns))
        return tuple(
            Tile(row, column, row.share * column.share, len(row) * len(column) / largest)
            for row, column in itertools.product(rows, columns)
        )

    def halve(self, stride: int, error: OutOfMemoryError) -> None:
        """After `error`, go on with tiles of half the side. Raises the error again if they cannot be smaller."""
        half = self.side // 2 // stride * stride
        if half < self._least(stride):
            raise error
        # the bits are no longer those of the request as it was resolved: better than no picture, but to be told
        log.warning("out of memory with tiles of %d pixels: going on with %d", self.side, half)
        self.side = half

    def _least(self, stride: int) -> int:
        """Side of the smallest tiles: neighbours share half of one, which must still be an image to the network."""
        return max(MIN_CELLS * stride, 2 * whole_cells(self._smallest, stride))


def automatic_side(device: torch.device) -> int:
    """The side of a tile on such a device, in pixels."""
    return AUTOMATIC.get(device.type, AUTOMATIC["cpu"])
