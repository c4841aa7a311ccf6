# SPDX-License-Identifier: GPL-3.0-or-later
"""Evens the gradient out over several scales: without it a dream sparkles with single-pixel noise.

A relative of the Laplacian pyramid normalisation in Mordvintsev's TensorFlow notebook
(https://github.com/tensorflow/examples/blob/master/community/en/r1/deepdream.ipynb): low frequencies, which the plain
gradient hardly has, get as large a say as high ones.
"""

from __future__ import annotations

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
        evened = functional.interpolate(pooled, size=(height, width), mode="bilinear", align_corners=False)
        total += unit_deviation(evened)
    return total.div_(scales)


def unit_deviation(gradient: Tensor) -> Tensor:
    """The gradient over its standard deviation about 0 (it has next to no mean), in place; zeros stay zeros."""
    deviation = gradient.square().mean().sqrt()
    return gradient.div_(deviation.clamp_min(torch.finfo(gradient.dtype).tiny))
