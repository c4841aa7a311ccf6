# SPDX-License-Identifier: GPL-3.0-or-later
"""How tiles lie along one axis of an image: what each shows of it, and how much of that counts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .octaves import source_positions

OVERLAP_CELLS, MIN_OVERLAP = 4, 64
"""By how much tiles overlap: this many cells of the coarsest layer, and at least this many pixels."""

FEW_CELLS = 8
"""An image of fewer cells a side gets one more to be moved in; a larger one gets as many as come closest to it, and
goes unseen for three quarters of one at most, which the margin around it hides, rather than take the time of more."""


class Piece(NamedTuple):
    """A run of pixels that lie side by side in the tile and in the image."""

    tile: slice
    image: slice


class Run(NamedTuple):
    """Pixels of the image that stand in a tile one after the other, from the first or from the last on."""

    image: slice
    backwards: bool

    def of(self, image: Tensor, axis: int) -> Tensor:
        found = image.narrow(axis, self.image.start, self.image.stop - self.image.start)
        return found.flip(axis) if self.backwards else found


@dataclass(frozen=True, slots=True)
class Strip:
    """One tile's extent along one axis.

    sees: which pixel of the image stands in each of the tile's. runs: the same. weight: how much each counts, 0 to 1.
    pieces: where it counts. share: of what is seen of the image's length, by weight. covers: whether no other strip
    counts anywhere. purity: for each pixel of the image, the sum of the squares of all strips' weights: 1 where one
    counts alone.
    """

    sees: Tensor
    runs: tuple[Run, ...]
    weight: Tensor
    pieces: tuple[Piece, ...]
    share: float
    covers: bool
    purity: Tensor

    def __len__(self) -> int:
        return len(self.sees)


def strips(
    length: int, offset: int, stride: int, side: int, least: int, wraps: bool, *, numbers: random.Random
) -> tuple[Strip, ...]:
    """Tiles along one axis of an image, `least` to `side` pixels long.

    They lie on a canvas of whole cells that shows the image from `offset` pixels before it on; where the image wraps,
    from anywhere in it once around until it overlaps itself. An image that is too small is mirrored until it is not.
    """
    overlap = min(whole_cells(max(MIN_OVERLAP, OVERLAP_CELLS * stride, least), stride), side // 2 // stride * stride)
    canvas = max(least, whole_cells(length + overlap, stride) if wraps else _canvas(length, stride, offset != 0))
    begin = numbers.randrange(length) if wraps else _begin(canvas - length, offset, stride)
    beyond = canvas - length if wraps else 0
    if canvas <= side and not wraps:
        return (_alone(begin, canvas, length),)
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
    seen = length - int(unseen.sum())
    return tuple(
        _strip(sees[first:last], tuple(_runs(begin + first, begin + last, length, wraps)), weight, purity, seen)
        for (first, last), weight in zip(spans, weights, strict=True)
    )


def _canvas(length: int, stride: int, moves: bool) -> int:
    """How many pixels, in whole cells, show an image of this length. moves: whether it lies where no cell begins."""
    if length < FEW_CELLS * stride:
        return whole_cells(length, stride) + stride * moves
    return (length + stride // 2) // stride * stride


def _alone(begin: int, canvas: int, length: int) -> Strip:
    """The one tile of an axis: what it shows of the image counts."""
    places = torch.arange(begin, begin + canvas)
    sees = source_positions(places, length, False)
    shown = slice(max(begin, 0), min(begin + canvas, length))
    piece = Piece(slice(shown.start - begin, shown.stop - begin), shown)
    runs = tuple(_runs(begin, begin + canvas, length, False))
    return Strip(sees, runs, (sees == places).float(), (piece,), 1.0, True, torch.ones(length))


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


def _runs(first: int, last: int, length: int, wraps: bool) -> Iterator[Run]:
    """What stands on the canvas of `source_positions` from `first` to `last`."""
    while first < last:
        turn, start = divmod(first, length)
        count = min(length - start, last - first)
        backwards = not wraps and turn % 2 == 1
        start = length - start - count if backwards else start
        yield Run(slice(start, start + count), backwards)
        first += count


def _strip(sees: Tensor, runs: tuple[Run, ...], weight: Tensor, purity: Tensor, seen: int) -> Strip:
    counting = weight > 0
    joined = (sees[1:] == sees[:-1] + 1) & (counting[1:] == counting[:-1])
    cuts = [0, *(torch.nonzero(~joined).flatten() + 1).tolist(), len(sees)]
    parts = (slice(first, last) for first, last in itertools.pairwise(cuts) if counting[first])
    pieces = tuple(Piece(part, slice(begin := int(sees[part.start]), begin + part.stop - part.start)) for part in parts)
    return Strip(sees, runs, weight, pieces, float(weight.sum()) / seen, False, purity)


def whole_cells(length: int, stride: int) -> int:
    return -(-length // stride) * stride
