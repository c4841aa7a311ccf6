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
from torch.nn import functional


def smooth(gradient: Tensor, scales: int) -> Tensor:
    """Mean of the gradient pooled over 1, 2, 4, ... pixels, each brought to the same deviation.

    gradient: 1x3xHxW, any range; its memory is used for the result, because large images have none to spare.
    scales: how many sizes of pooling; 1 leaves the pattern as it is.
    Returns the same shape, of deviation about 1, or zeros for a gradient of zeros.
    """
    height, width = gradient.shape[-2:]
    kernels = [(min(2**scale, height), min(2**scale, width)) for scale in range(1, scales)]
    pools = [functional.avg_pool2d(gradient, kernel, ceil_mode=True) for kernel in kernels]
    total = unit_deviation(gradient)
    for pooled in pools:
        # channel by channel and found twice: torch takes as much memory again for three channels at once
        channels = list(torch.split(pooled, 1, dim=1))
        lengths = [magnitude(_grown(channel, height, width)) for channel in channels]
        deviation = torch.stack(lengths).square().sum().sqrt() / math.sqrt(gradient.numel())
        for grown, channel in zip(torch.split(total, 1, dim=1), channels, strict=True):
            grown.add_(_grown(channel, height, width).div_(above_zero(deviation)))
    return total.div_(scales)


def _grown(pooled: Tensor, height: int, width: int) -> Tensor:
    return functional.interpolate(pooled, size=(height, width), mode="bilinear", align_corners=False)


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
