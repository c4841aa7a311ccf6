# SPDX-License-Identifier: GPL-3.0-or-later
"""Evens the gradient out over several scales: without it a dream sparkles with single-pixel noise.

A relative of the Laplacian pyramid normalisation in Mordvintsev's TensorFlow notebook
(https://github.com/tensorflow/examples/blob/master/community/en/r1/deepdream.ipynb): low frequencies, which the plain
gradient hardly has, get as large a say as high ones.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def smooth(gradient: Tensor, scales: int) -> Tensor:
    """Mean of the gradient pooled over 1, 2, 4, ... pixels, each brought to the same deviation.

    gradient: 1x3xHxW, any range; its memory is used for the result, because large images have little to spare.
    scales: how many sizes of pooling; 1 leaves the pattern as it is.
    Returns the same shape, of deviation about 1, or zeros for a gradient of zeros.
    """
    height, width = gradient.shape[-2:]
    pools = [gradient]
    for _ in range(scales - 1):
        pools.append(_halved(pools[-1]))
    total = unit_deviation(gradient)
    for scale, pooled in enumerate(pools[1:], 1):
        total.add_(unit_deviation(_resized(pooled, height, width, 2.0**scale)))
    return total.div_(scales)


def _halved(image: Tensor) -> Tensor:
    """Each pixel the mean of four; of fewer where a side ends."""
    height, width = image.shape[-2:]
    return _resized(image, -(-height // 2), -(-width // 2), 0.5)


def _resized(image: Tensor, height: int, width: int, scale: float) -> Tensor:
    """Exactly by the scale: a pixel lies over its four all the way, even where the last ones are missing."""
    found: Tensor = torch.ops.aten.upsample_bilinear2d(image, (height, width), False, scale, scale)
    return found


def unit_deviation(gradient: Tensor) -> Tensor:
    """The gradient over its standard deviation about 0 (it has next to no mean), in place; zeros stay zeros."""
    deviation = magnitude(gradient) / math.sqrt(gradient.numel())
    return gradient.div_(above_zero(deviation))


def magnitude(gradient: Tensor) -> Tensor:
    """The root of the sum of all squares, without as much memory again: row by row, for float32 to be exact enough."""
    rows: Tensor = torch.linalg.vector_norm(gradient, dim=-1)
    whole: Tensor = torch.linalg.vector_norm(rows)
    return whole


def above_zero(divisor: Tensor) -> Tensor:
    """What can be divided by: 0 over it stays 0."""
    return divisor.clamp_min(torch.finfo(divisor.dtype).tiny)
