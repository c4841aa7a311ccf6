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
from typing import NamedTuple

import torch
from torch import Tensor

from ..protocol.errors import OutOfMemoryError, SettingsError
from .octaves import Size, Wrap, source_positions
from .smoothing import magnitude

log = logging.getLogger(__name__)

AUTOMATIC = {"cpu": 768, "mps": 1024, "cuda": 1536}
"""Side of a tile in pixels, where nobody says otherwise. By the kind of device and nothing else, because the tile
decides the bits of a large image, and the same request shall come to the same bits whatever else fills the memory."""

OVERLAP_CELLS, MIN_OVERLAP = 4, 64
"""By how much tiles overlap: this many cells of the coarsest layer, and at least this many pixels."""

MIN_CELLS = 4
"""A tile has at least this many cells a side: its neighbours take half of it."""

FEW_CELLS = 8
"""An image of fewer cells a side gets one more to be moved in; a larger one goes unseen for half a cell at most, which
the margin around it hides, rather than take the time of more cells."""


class Piece(NamedTuple):
    """A run of pixels that lie side by side in the tile and in the image."""

    tile: slice
    image: slice


@dataclass(frozen=True, slots=True)
class Strip:
    """One tile's extent along one axis.

    sees: which pixel of the image stands in each of the tile's. weight: how much each counts, 0 to 1.
    pieces: where it counts. share: of what is seen of the image's length, by weight. covers: whether no other strip
    counts anywhere. purity: for each pixel of the image, the sum of the squares of all strips' weights: 1 where one
    counts alone.
    """

    sees: Tensor
    weight: Tensor
    pieces: tuple[Piece, ...]
    share: float
    covers: bool
    purity: Tensor

    def __len__(self) -> int:
        return len(self.sees)


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
        rows, columns = (strip.sees.to(image.device) for strip in (self.rows, self.columns))
        return image.index_select(-2, rows).index_select(-1, columns)


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
        side, least = self.side - self.side % stride, _whole_cells(self._smallest, stride)
        axes = zip(size, shift, wrap, strict=True)
        rows, columns = (
            _strips(length, offset, stride, side, least, wraps, numbers=numbers) for length, offset, wraps in axes
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
        return max(MIN_CELLS * stride, 2 * _whole_cells(self._smallest, stride))


def automatic_side(device: torch.device) -> int:
    """The side of a tile on such a device, in pixels."""
    return AUTOMATIC.get(device.type, AUTOMATIC["cpu"])


def _strips(
    length: int, offset: int, stride: int, side: int, least: int, wraps: bool, *, numbers: random.Random
) -> tuple[Strip, ...]:
    """Tiles along one axis of an image, `least` to `side` pixels long.

    They lie on a canvas of whole cells that shows the image from `offset` pixels before it on; where the image wraps,
    from anywhere in it once around until it overlaps itself. An image that is too small is mirrored until it is not.
    """
    overlap = min(_whole_cells(max(MIN_OVERLAP, OVERLAP_CELLS * stride, least), stride), side // 2 // stride * stride)
    canvas = max(least, _whole_cells(length + overlap if wraps else length, stride))
    if not wraps and offset and canvas < FEW_CELLS * stride:
        canvas += stride
    begin = numbers.randrange(length) if wraps else _begin(canvas - length, offset, stride)
    beyond = canvas - length if wraps else 0
    places = torch.arange(begin, begin + canvas)
    sees = source_positions(places, length, wraps)
    counts = torch.ones(canvas) if wraps else (sees == places).float()
    spans = _spans(canvas, side, overlap, stride, numbers)
    weights = [
        counts[first:last] * _window(last - first, overlap if first else beyond, overlap if last < canvas else beyond)
        for first, last in spans
    ]
    total, purity = torch.zeros(length), torch.zeros(length)
    for (first, last), weight in zip(spans, weights, strict=True):
        total.index_add_(0, sees[first:last], weight)
    unseen = total == 0
    total += unseen
    for (first, last), weight in zip(spans, weights, strict=True):
        weight /= total[sees[first:last]]  # noqa: PLW2901  (in place)
        purity.index_add_(0, sees[first:last], weight.square())
    purity += unseen
    alone, seen = len(spans) == 1 and not wraps, length - int(unseen.sum())
    return tuple(
        _strip(sees[first:last], weight, purity, seen, alone)
        for (first, last), weight in zip(spans, weights, strict=True)
    )


def _begin(spare: int, offset: int, stride: int) -> int:
    """Where a canvas begins that is `spare` pixels longer than the image, for its cells to be `offset` pixels earlier
    than the image's: such that the image lies in its middle, give or take half a cell.
    """
    middle = spare // 2 + stride // 2
    return (middle - offset) % stride - middle


def _spans(canvas: int, side: int, overlap: int, stride: int, numbers: random.Random) -> list[tuple[int, int]]:
    """First pixel and end of each tile on the canvas: one for all of it, or a grid that begins at random."""
    if canvas <= side:
        return [(0, canvas)]
    pitch = side - overlap
    begin = numbers.randint(1, pitch // stride) * stride
    spans = [(0, begin + overlap)]
    while spans[-1][1] < canvas:
        spans.append((begin, min(begin + side, canvas)))
        begin += pitch
    return spans


def _window(length: int, rise: int, fall: int) -> Tensor:
    """1 in the middle; at each end nothing, then a smooth rise over half of the overlap, then 1."""
    places = torch.arange(length) + 0.5
    return _fade(places, rise) * _fade(length - places, fall)


def _fade(distance: Tensor, overlap: int) -> Tensor:
    if not overlap:
        return torch.ones_like(distance)
    way = (distance / overlap * 2 - 0.5).clamp(0, 1)
    return way * way * (3 - 2 * way)


def _strip(sees: Tensor, weight: Tensor, purity: Tensor, seen: int, alone: bool) -> Strip:
    counting = weight > 0
    joined = (sees[1:] == sees[:-1] + 1) & (counting[1:] == counting[:-1])
    cuts = [0, *(torch.nonzero(~joined).flatten() + 1).tolist(), len(sees)]
    runs = (slice(first, last) for first, last in itertools.pairwise(cuts) if counting[first])
    pieces = tuple(Piece(run, slice(int(sees[run.start]), int(sees[run.start]) + run.stop - run.start)) for run in runs)
    return Strip(sees, weight, pieces, float(weight.sum()) / seen, alone, purity)


def _whole_cells(length: int, stride: int) -> int:
    return -(-length // stride) * stride
