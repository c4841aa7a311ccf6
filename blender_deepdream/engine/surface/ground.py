# SPDX-License-Identifier: GPL-3.0-or-later
"""How the light in a view would change if its surfaces had a relief.

Light is taken for a linear function of the normal, fitted to each view: what a sun and a sky come to, without shadows
and mirrors. How heights turn the normal is Mikkelsen, "Bump Mapping Unparametrized Surfaces on the GPU", 2010: by
differences between the pixels of a view, whatever the texture's coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..color import Array
from .passes import Passes, read_passes
from .views import View

_FAR = 4.0
"""Neighbours lie on one surface if they are not this many times as far apart as others."""
_DARKEST, _RATIOS = 0.05, (0.1, 3.0)
"""Least light that is divided by, and how much darker and lighter a relief may make a surface."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """base: what light comes to by the fit, whatever the normal. along: HxW, what the normal adds. lean: 2xHxW, what
    that loses for a slope to the right and down, in units of height for a pixel. metric: 3xHxW, how slopes lengthen a
    normal: both squares and their product. known: HxW, where all this is known. pixel: the usual way on the surfaces
    from one pixel to the next, in world units."""

    base: float
    along: Tensor
    lean: Tensor
    metric: Tensor
    known: Tensor
    pixel: float

    def lit(self, heights: Tensor) -> Tensor:
        """HxW: how many times as much light falls on surfaces with these heights (HxW, world units)."""
        right, down = _slope(heights, 1), _slope(heights, 0)
        length = 1 + right.square() * self.metric[0] + down.square() * self.metric[1] + right * down * self.metric[2]
        turned = (self.along - right * self.lean[0] - down * self.lean[1]) / length.clamp_min(1).sqrt()
        ratio = (self.base + turned) / (self.base + self.along).clamp_min(_DARKEST)
        return torch.where(self.known, ratio.clamp(*_RATIOS), 1.0)


def read_ground(facts: Path, view: View) -> Ground:
    """From a view and its passes. Raises ImageError."""
    passes = read_passes(facts)
    device = view.light.device
    normals = functional.normalize(_planes(passes.normals, device), dim=0)
    places = _planes(passes.positions, device)
    right, down = _slope(places, 2), _slope(places, 1)
    first, second = torch.linalg.cross(down, normals, dim=0), torch.linalg.cross(normals, right, dim=0)
    area = (right * first).sum(0)
    known, pixel = _known(passes, right, down, area)
    first, second = (torch.where(known, turn / area, 0.0) for turn in (first, second))
    base, light = _fitted(view.light.mean(0)[known], normals[:, known])
    return Ground(
        base,
        torch.einsum("c,chw->hw", light, normals),
        torch.stack([torch.einsum("c,chw->hw", light, turn) for turn in (first, second)]),
        torch.stack([first.square().sum(0), second.square().sum(0), 2 * (first * second).sum(0)]),
        known,
        pixel,
    )


def _known(passes: Passes, right: Tensor, down: Tensor, area: Tensor) -> tuple[Tensor, float]:
    """Where a pixel and all around it lie on one surface, and the usual way from pixel to pixel there."""
    on = torch.from_numpy(passes.sheet > 0).to(right.device)
    inside = functional.max_pool2d((~on)[None, None].float(), 3, 1, 1)[0, 0] == 0
    way = torch.maximum(right.norm(dim=0), down.norm(dim=0))
    usual = float(way[inside].median()) if inside.any() else 1.0
    return inside & (way < _FAR * usual) & (area.abs() > 1e-12), usual


def _fitted(light: Tensor, normals: Tensor) -> tuple[float, Tensor]:
    """Light of N places, and their normals (3xN): what it is at least, and its direction and strength."""
    ones = torch.ones_like(light)[None]
    matrix = torch.cat([ones, normals]).double()
    # a little towards nothing: a view of one flat wall tells nothing of where its light comes from
    eye = torch.eye(4, dtype=matrix.dtype, device=matrix.device)
    found = torch.linalg.solve(matrix @ matrix.T + 1e-3 * (1 + light.numel() * 1e-3) * eye, matrix @ light.double())
    return float(found[0]), found[1:].to(light)


def _slope(values: Tensor, axis: int) -> Tensor:
    """By how much values change from pixel to pixel, by the neighbours on both sides; 0 at the border."""
    length = values.shape[axis]
    inner = (values.narrow(axis, 2, length - 2) - values.narrow(axis, 0, length - 2)) / 2
    pad = [0, 0] * (values.ndim - 1 - axis) + [1, 1]
    return functional.pad(inner, pad)


def _planes(vectors: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(vectors.transpose(2, 0, 1), np.float32)).to(device)
