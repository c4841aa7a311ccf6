# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of each picture is shown, mirrored or not: on the device, a batch at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Numbers = NDArray[np.float64]

AREA = (0.35, 1.0)
"""Share of a picture's area that is shown. Szegedy et al., "Going Deeper with Convolutions", 2015, go down to 0.08,
where a small set's pictures lose what they are of."""
PROPORTION = (3 / 4, 4 / 3)
ARTICLE_SIDE = (0.25, 0.75)
"""Share of each axis, after J. T. Nimoy, "Deepdream: Avoiding Kitsch", 2015. The stretching of the article remains as
the proportion of the two, up to threefold: every part becomes a square of the same size."""


class Boxes(NamedTuple):
    """Parts of N pictures: each an N, as shares of the picture's width and height, from its left and top."""

    left: Numbers
    top: Numbers
    width: Numbers
    height: Numbers
    mirrored: NDArray[np.bool_]

    def part(self, which: slice) -> Boxes:
        """Of some of the pictures."""
        return Boxes._make(numbers[which] for numbers in self)


def usual_boxes(aspects: Numbers, rng: np.random.Generator) -> Boxes:
    """Most of each picture, nearly in its proportions. aspects: width / height of each picture."""
    area = rng.uniform(*AREA, len(aspects))
    proportion = np.exp(rng.uniform(np.log(PROPORTION[0]), np.log(PROPORTION[1]), len(aspects)))
    width, height = np.sqrt(area * proportion / aspects), np.sqrt(area / proportion * aspects)
    # so much of a long picture fits into no part of these proportions: then as much as does
    too_large = np.maximum(1, np.maximum(width, height))
    return _placed(width / too_large, height / too_large, rng)


def article_boxes(aspects: Numbers, rng: np.random.Generator) -> Boxes:
    """A quarter to three quarters of each side of each picture."""
    width, height = rng.uniform(*ARTICLE_SIDE, (2, len(aspects)))
    return _placed(width, height, rng)


def middle_boxes(aspects: Numbers) -> Boxes:
    """The largest square in the middle of each picture."""
    width, height = np.minimum(1, 1 / aspects), np.minimum(1, aspects)
    return Boxes((1 - width) / 2, (1 - height) / 2, width, height, np.zeros(len(aspects), np.bool_))


def cut_out(pictures: Tensor, boxes: Boxes, side: int) -> Tensor:
    """Parts of pictures as squares. pictures: NxCxHxW. Returns NxCxSxS."""
    sign = np.where(boxes.mirrored, -1, 1)
    across = _positions(boxes.left + boxes.width / 2, boxes.width * sign, side, pictures.device)
    down = _positions(boxes.top + boxes.height / 2, boxes.height, side, pictures.device)
    shape = (len(sign), side, side)
    grid = torch.stack([across[:, None].expand(shape), down[:, :, None].expand(shape)], -1)
    return functional.grid_sample(pictures, grid, "bilinear", "border", align_corners=False)


def _positions(middle: Numbers, length: Numbers, side: int, device: torch.device) -> Tensor:
    """Where along one axis a part's pixels lie in their picture, from -1 to 1: NxS. middle, length: as shares of it."""
    numbers = torch.from_numpy(np.stack([2 * middle - 1, length]).astype(np.float32)).to(device, non_blocking=True)
    pixels = torch.linspace(1 / side - 1, 1 - 1 / side, side, device=device)
    return torch.addcmul(numbers[0][:, None], numbers[1][:, None], pixels)


def _placed(width: Numbers, height: Numbers, rng: np.random.Generator) -> Boxes:
    left, top = rng.uniform(size=(2, len(width))) * (1 - np.stack([width, height]))
    return Boxes(left, top, width, height, rng.uniform(size=len(width)) < 0.5)
