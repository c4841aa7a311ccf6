# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures as one row of texels, what a view sees of them, and the way back.

All sheets of a surface lie one after the other in a tensor of CxN texels, rows from the top: a pixel of a view finds
its texels, and a change of the pixel its way to them, by number alone, whatever sheet they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Spots(NamedTuple):
    """Where pixels lie on the sheets. sheet: P, from 0. place: Px2, u to the right and v up, in [0, 1)."""

    sheet: Tensor
    place: Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """sides: of the square sheets, in texels."""

    sides: tuple[int, ...]

    @property
    def count(self) -> int:
        """Texels of all sheets."""
        return sum(side * side for side in self.sides)

    def join(self, sheets: Sequence[Tensor]) -> Tensor:
        """CxN from 1xCxSxS."""
        return torch.cat([sheet.flatten(2)[0] for sheet in sheets], dim=1)

    def split(self, texels: Tensor) -> list[Tensor]:
        """1xCxSxS from CxN, in the same memory where it can be."""
        parts = torch.split(texels, [side * side for side in self.sides], dim=1)
        return [part.reshape(1, -1, side, side) for part, side in zip(parts, self.sides, strict=True)]

    def footprint(self, spots: Spots) -> Footprint:
        """The four texels around each spot. A texture goes on at its other side, as Blender's do."""
        sides = torch.tensor(self.sides, device=spots.place.device)
        firsts = torch.cumsum(sides * sides, 0) - sides * sides
        side, first = sides[spots.sheet], firsts[spots.sheet]
        column = spots.place[:, 0] * side - 0.5
        row = (1 - spots.place[:, 1]) * side - 0.5
        left, top = column.floor(), row.floor()
        right_share, low_share = column - left, row - top
        columns = [(left.long() + more) % side for more in (0, 1)]
        rows = [(top.long() + more) % side * side + first for more in (0, 1)]
        across, down = (1 - right_share, right_share), (1 - low_share, low_share)
        corners = [(y, x) for y in (0, 1) for x in (0, 1)]
        return Footprint(
            torch.stack([rows[y] + columns[x] for y, x in corners]),
            torch.stack([down[y] * across[x] for y, x in corners]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """The texels that pixels see: their numbers and shares, both 4xP."""

    texel: Tensor
    share: Tensor

    def sample(self, texels: Tensor) -> Tensor:
        """CxP: what the pixels see of CxN texels."""
        return torch.stack([(channel[self.texel] * self.share).sum(0) for channel in texels])

    def part(self, pixels: Tensor) -> Footprint:
        """Of these pixels alone, by number."""
        return Footprint(self.texel[:, pixels], self.share[:, pixels])

    def splat(self, pixels: Tensor, count: int) -> Tensor:
        """CxN, the transpose of `sample`: each pixel's value (CxP) goes to its texels. The same bits on every CPU run;
        on CUDA, too, where torch's deterministic algorithms are switched on."""
        numbers = self.texel.flatten()
        return torch.stack(
            [pixel.new_zeros(count).index_add_(0, numbers, (pixel * self.share).flatten()) for pixel in pixels]
        )


def filled(values: Tensor, weight: Tensor, levels: int = 32) -> Tensor:
    """Values where they weigh something, and around them what their neighbours are, from near to far.

    values: 1xCxHxW; weight: 1x1xHxW, from 0. levels: how far it reaches, 2^levels pixels; beyond that 0.
    Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph", 1996: pull and push.
    """
    known = weight > 0
    height, width = values.shape[-2:]
    if not levels or max(height, width) == 1 or bool(known.all()):
        return values * known
    full = known.to(values)
    amount = functional.avg_pool2d(full, 2, ceil_mode=True)
    coarse = functional.avg_pool2d(values * full, 2, ceil_mode=True) / amount.clamp_min(1e-6)
    around = filled(coarse, amount, levels - 1)
    grown = functional.interpolate(around, size=(height, width), mode="bilinear", align_corners=False)
    return torch.where(known, values, grown)
