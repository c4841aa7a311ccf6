# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies behind transparent pictures: a colour, two that run into each other, or clouds of two; on the device."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Numbers = NDArray[np.float64]

GRAINS = (4, 16, 64)
"""Random numbers along a side, for clouds from wide to fine."""


class Grounds(NamedTuple):
    """Of N pictures. first, second: Nx3, colours, sRGB, 0 to 1. slope: Nx2, how their mixture runs along x and y.
    cloud: Nx3, how much of the grains of each size is in it. wide, middling, fine: the grains, Nx1xGxG."""

    first: Numbers
    second: Numbers
    slope: Numbers
    cloud: Numbers
    wide: Numbers
    middling: Numbers
    fine: Numbers

    def part(self, which: slice) -> Grounds:
        """Of some of the pictures."""
        return Grounds._make(numbers[which] for numbers in self)


def draw(count: int, rng: np.random.Generator) -> Grounds:
    """A third of each kind."""
    kind = rng.integers(0, 3, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    slope = np.stack([np.cos(angle), np.sin(angle)], 1) * (kind == 1)[:, None]
    cloud = rng.dirichlet(np.ones(len(GRAINS)), count) * (kind == 2)[:, None]
    first, second = rng.uniform(size=(2, count, 3))
    wide, middling, fine = (rng.standard_normal((count, 1, side, side)) for side in GRAINS)
    return Grounds(first, second, slope, cloud, wide, middling, fine)


def paint(grounds: Grounds, side: int, device: torch.device) -> Tensor:
    """Nx3xSxS, dream space."""
    first, second = (_to(color, device)[..., None, None] for color in (grounds.first, grounds.second))
    return torch.lerp(first, second, _mixture(grounds, side, device))


def put_behind(pictures: Tensor, ground: Tensor) -> Tensor:
    """Nx4xHxW, RGBA, colour multiplied by alpha, over Nx3xHxW or what becomes it: Nx3xHxW."""
    return torch.addcmul(pictures[:, :3], 1 - pictures[:, 3:], ground)


def _mixture(grounds: Grounds, side: int, device: torch.device) -> Tensor:
    """Nx1xSxS, 0 to 1: how much of the second colour there is. A plain colour is half of each."""
    along = torch.linspace(-0.7, 0.7, side, device=device)
    slope, cloud = _to(grounds.slope, device)[..., None, None], _to(grounds.cloud, device)[..., None, None]
    mixture = torch.addcmul(slope[:, 1:] * along[:, None], slope[:, :1], along)
    # from the wide ones to the fine ones, so that only what is small is enlarged twice
    clouds = torch.zeros(1, 1, 1, 1, device=device)
    for number, grains in enumerate((grounds.wide, grounds.middling, grounds.fine)):
        smooth = functional.interpolate(clouds, grains.shape[2:], mode="bilinear")
        clouds = torch.addcmul(smooth, _to(grains, device), cloud[:, number : number + 1])
    mixture += functional.interpolate(clouds, (side, side), mode="bilinear")
    return mixture.div_(2).add_(0.5).clamp_(0, 1)


def _to(numbers: Numbers, device: torch.device) -> Tensor:
    return torch.from_numpy(numbers.astype(np.float32)).to(device, non_blocking=True)
