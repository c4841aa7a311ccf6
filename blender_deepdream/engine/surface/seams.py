# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a texture goes on beyond the edges of its islands, as a view sees it: no mesh is asked.

Two pixels that lie side by side on the surface may lie far apart on the texture. Each island is continued as it goes
on its side of the edge, and each pixel beyond has a second place there: on the texels around the island, which nothing
else shows. What such a pixel wants goes to both of its places, and both shall show the same: so the texels on either
side of an edge come of the same pixels, as those inside an island do.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..color import Array
from .passes import Passes

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

_REACH = 2
"""Pixels by which islands are continued."""
_WAYS = sorted(
    (way for way in itertools.product(range(-_REACH, _REACH + 1), repeat=2) if 0 < math.hypot(*way) <= _REACH),
    key=lambda way: math.hypot(*way),
)
"""Rows down and columns to the right, the nearest first."""
_JUMP = 4.0
"""Neighbours lie on two islands if their places on the texture are this many times as far apart as others of their
distance on the surface."""
_FAR, _TURN = 3.0, 0.5
"""Neighbours lie on one surface if they are not this many times as far apart as others, and if the cosine between
their normals is no less."""


class Beyond(NamedTuple):
    """Second places of pixels. pixel: N, numbers in the view, row by row. sheet: N, from 1. place: Nx2."""

    pixel: Numbers
    sheet: Numbers
    place: Array


def beyond_edges(passes: Passes) -> Beyond:
    """The places that pixels near the edges of islands have on the islands beyond."""
    # numbers of no use come to no neighbours
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = [_slope(passes, axis) for axis in (0, 1)]
        near = _grown(slopes[0].seam | slopes[1].seam, _REACH - 1)
        rows, columns = np.nonzero(near & slopes[0].known & slopes[1].known)
        found = [_continued(passes, slopes, rows, columns, down, right) for down, right in _WAYS]
    pixel, sheet, place = (np.concatenate(parts) for parts in zip(*found, strict=True))
    # each pixel by the nearest that tells
    pixel, which = np.unique(pixel, return_index=True)
    return Beyond(pixel, sheet[which], place[which])


class _Slope(NamedTuple):
    """By how much the place on the texture changes from a pixel to the next along an axis, HxWx2, and where that is
    known. seam: beside which pixels an island ends. usual: the mean distance on the surface from pixel to pixel, and
    that on the texture for a unit of it."""

    step: Array
    known: Mask
    seam: Mask
    far: float
    density: float


def _slope(passes: Passes, axis: int) -> _Slope:
    """Means of the steps to the neighbours on both sides, where both lie on the same island."""
    length = passes.sheet.shape[axis]
    first, second = (_part(axis, slice(0, length - 1)), _part(axis, slice(1, length)))
    step = wrapped(np.diff(passes.places, axis=axis))
    moved, far = np.linalg.norm(step, axis=2), np.linalg.norm(np.diff(passes.positions, axis=axis), axis=2)
    on = (passes.sheet[first] > 0) & (passes.sheet[second] > 0)
    usual = float(np.median(far[on])) if on.any() else 1.0
    near = on & (far < _FAR * usual) & ((passes.normals[first] * passes.normals[second]).sum(2) > _TURN)
    density = float(np.median(moved[near] / np.maximum(far[near], 1e-12))) if near.any() else 1.0
    whole = near & (passes.sheet[first] == passes.sheet[second]) & (moved < _JUMP * density * np.maximum(far, usual))
    total, count = np.zeros_like(passes.places), np.zeros(passes.sheet.shape, np.float32)
    seam = np.zeros(passes.sheet.shape, np.bool_)
    for part in (first, second):
        total[part] += np.where(whole[..., None], step, 0)
        count[part] += whole
        seam[part] |= near & ~whole
    mean: Array = (total / np.maximum(count, 1)[..., None]).astype(np.float32)
    return _Slope(mean, count > 0, seam, usual, density)


def _continued(
    passes: Passes, slopes: list[_Slope], rows: Numbers, columns: Numbers, down: int, right: int
) -> tuple[Numbers, Numbers, Array]:
    """Beyond, of the pixels so far away from these, where another island lies there."""
    height, width = passes.sheet.shape
    inside = (rows + down >= 0) & (rows + down < height) & (columns + right >= 0) & (columns + right < width)
    here = rows[inside], columns[inside]
    there = here[0] + down, here[1] + right
    reach = float(np.hypot(down, right))
    step = down * slopes[0].step[here] + right * slopes[1].step[here]
    far = np.linalg.norm(passes.positions[there] - passes.positions[here], axis=1)
    usual = max(slope.far for slope in slopes) * reach
    near = (passes.sheet[there] > 0) & (far < _FAR * usual)
    near &= (passes.normals[there] * passes.normals[here]).sum(1) > _TURN
    missed = np.linalg.norm(wrapped(passes.places[there] - passes.places[here] - step), axis=1)
    jump = missed > _JUMP / 2 * max(slope.density for slope in slopes) * np.maximum(far, usual)
    chosen = near & (jump | (passes.sheet[there] != passes.sheet[here]))
    place = ((passes.places[here] + step)[chosen] % 1).astype(np.float32)
    return (there[0] * width + there[1])[chosen], passes.sheet[here][chosen], place


def wrapped(steps: Array) -> Array:
    """The shortest way on a texture that goes on at its other side."""
    short: Array = steps - np.rint(steps)
    return short


def _part(axis: int, which: slice) -> tuple[slice, ...]:
    return (which,) if axis == 0 else (slice(None), which)


def _grown(mask: Mask, times: int) -> Mask:
    for _ in range(times):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask
