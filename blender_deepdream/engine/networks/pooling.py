# SPDX-License-Identifier: GPL-3.0-or-later
"""Max pooling for `program`: torch's own, asked for in the types that it is quickest with."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from .kernels import Geometry, Kept, Pair

Input = Literal["any", "positive", "relu"]
"""What is known of the map: nothing, that nothing in it is below 0, or that what is below 0 shall come out as 0."""

LARGEST_SHORT = 2**15 - 1
"""Cells of a map up to which torch pools 16-bit integers."""


class MaxPooling:
    """ceil: a window that overhangs the map is kept. kind: "relu" puts a ReLU after the pooling.

    What a ReLU before a pooling does, one after it does, too, and has less to do.
    """

    def __init__(self, kernel: Pair, geometry: Geometry, ceil: bool, kind: Input = "any") -> None:
        self._geometry = (kernel, geometry.stride, geometry.padding, geometry.dilation, ceil)
        self._overlaps = geometry.stride == (1, 1)
        self._kind = kind

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[torch.Size, Tensor, Tensor | None]]:
        output, where = self._largest(inputs[0])
        if self._kind != "relu":
            return output, (inputs[0].shape, where, None)
        return output.relu_(), (inputs[0].shape, where, output)

    def backward(self, kept: Kept, gradient: Tensor) -> tuple[Tensor]:
        size, where, output = kept
        precision = gradient.dtype
        if output is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, output, 0)
        if self._overlaps:  # much to add up, which in half precision takes torch twice as long
            gradient = gradient.float()
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        # of the map before it torch looks at nothing but its size
        before = torch.empty(size, dtype=gradient.dtype, memory_format=torch.channels_last)
        found = torch.ops.aten.max_pool2d_with_indices_backward(gradient, before, *self._geometry, where)
        return (found.to(precision),)

    def _largest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The largest of each window, and where it lies. Of what is below 0 it may be another, where a ReLU follows."""
        short = self._kind != "any" and x.dtype == torch.bfloat16 and x.shape[-2] * x.shape[-1] <= LARGEST_SHORT
        # read as integers, numbers above 0 are in the same order, and torch compares integers in half the time
        comparable = x.view(torch.int16) if short else x
        output, where = torch.ops.aten.max_pool2d_with_indices(comparable, *self._geometry)
        return output.view(x.dtype), where
