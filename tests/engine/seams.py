# SPDX-License-Identifier: GPL-3.0-or-later
"""How much tiles show where they meet."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from blender_deepdream.engine.ascent import Ascent
from blender_deepdream.engine.objectives import Objective
from blender_deepdream.engine.octaves import Size, Wrap
from blender_deepdream.engine.regions import Area
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.tiling import Tile, Tiling

STEPS = 10
BORDER = 32
"""Pixels of the image's border that are passed over: it is another matter, the margin hides it."""


class ToldTiling(Tiling):
    """One that remembers where it put its tiles."""

    laid: tuple[Tile, ...] = ()

    def tiles(self, size: Size, stride: int, shift: Size, wrap: Wrap, numbers: random.Random) -> tuple[Tile, ...]:
        self.laid = super().tiles(size, stride, shift, wrap, numbers)
        return self.laid


def strength_at_seams(ascent: Ascent, tiling: ToldTiling, objective: Objective, image: Tensor) -> float:
    """The mean change within 2 pixels of where tiles meet, beside that elsewhere, over ten steps.

    tiling: the ascent's own. image: 1x3xHxW, dream space.
    """
    size = Size(*image.shape[-2:])
    inside = torch.zeros(*size, dtype=torch.bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    near, far = [], []
    for _ in range(STEPS):
        change, _ = finish(ascent.step(image, torch.ones(1, 1, *size), [Area(objective)]))
        image = (image + change).clamp(0, 1)
        close, strength = _close_to_seams(tiling.laid, size), change.abs().mean(dim=(0, 1))
        near.append(strength[close & inside])
        far.append(strength[~close & inside])
    return float(torch.cat(near).mean() / torch.cat(far).mean())


def _close_to_seams(tiles: Sequence[Tile], size: Size) -> Tensor:
    """HxW: true within 2 pixels of a tile's end, or of where it counts as much as its neighbour."""
    close = torch.zeros(*size, dtype=torch.bool)
    for tile in tiles:
        for axis, strip in enumerate((tile.rows, tile.columns)):
            even = torch.nonzero((strip.weight[1:] - 0.5) * (strip.weight[:-1] - 0.5) <= 0).flatten()
            for place in (strip.sees[0], strip.sees[-1], *strip.sees[even]):
                first = max(0, int(place) - 2)
                close.narrow(axis, first, min(5, size[axis] - first)).fill_(True)
    return close
