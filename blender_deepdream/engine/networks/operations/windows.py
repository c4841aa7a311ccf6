# SPDX-License-Identifier: GPL-3.0-or-later
"""What slides a window over a map: convolutions and pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from .operation import MAX_CHANNELS, MisfitError, Operation, Pair, Shape, Tensors, checked, flag, pair, whole


@dataclass(frozen=True)
class Window(Operation):
    """What slides over a map."""

    kernel: Pair = checked(pair(1))
    stride: Pair = checked(pair(1), (1, 1))
    padding: Pair = checked(pair(0), (0, 0))


@dataclass(frozen=True)
class Convolution(Window):
    """channels: of its result. groups: input and output channels fall into so many independent parts."""

    op: ClassVar[str] = "convolution"
    fresh: ClassVar[bool] = True
    channels: int = checked(whole(1, MAX_CHANNELS), 1)
    dilation: Pair = checked(pair(1), (1, 1))
    groups: int = checked(whole(1, MAX_CHANNELS), 1)
    bias: bool = checked(flag, True)

    @property
    def reach(self) -> Pair:
        """What the dilated kernel covers."""
        height, width = ((size - 1) * step + 1 for size, step in zip(self.kernel, self.dilation, strict=True))
        return height, width

    def shape(self, *inputs: Shape) -> Shape:
        self._check_groups(inputs[0].channels)
        sides = zip(inputs[0].size, self.reach, self.stride, self.padding, strict=True)
        height, width = ((max(side + 2 * pad, reach) - reach) // step + 1 for side, reach, step, pad in sides)
        return Shape(self.channels, height, width, inputs[0].scale * max(self.stride))

    def tensors(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        weight = {"weight": (self.channels, inputs[0].channels // self.groups, *self.kernel)}
        return weight | self._bias()

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        x = continued(inputs[0], self.reach, self.padding)
        return functional.conv2d(
            x, tensors["weight"], tensors.get("bias"), self.stride, self.padding, self.dilation, self.groups
        )

    def _bias(self) -> dict[str, tuple[int, ...]]:
        return {"bias": (self.channels,)} if self.bias else {}

    def _check_groups(self, channels: int) -> None:
        if channels % self.groups or self.channels % self.groups:
            raise MisfitError(f"{channels} channels in and {self.channels} out do not fall into {self.groups} groups")


@dataclass(frozen=True)
class Deconvolution(Convolution):
    """A transposed convolution: its stride makes the map larger."""

    op: ClassVar[str] = "deconvolution"

    def shape(self, *inputs: Shape) -> Shape:
        self._check_groups(inputs[0].channels)
        sides = zip(inputs[0].size, self.reach, self.stride, self.padding, strict=True)
        height, width = ((side - 1) * step + reach - 2 * pad for side, reach, step, pad in sides)
        if min(height, width) < 1:
            raise MisfitError("its padding leaves nothing of the map")
        return Shape(self.channels, height, width, inputs[0].scale / min(self.stride))

    def tensors(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        weight = {"weight": (inputs[0].channels, self.channels // self.groups, *self.kernel)}
        return weight | self._bias()

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        weight, bias = tensors["weight"], tensors.get("bias")
        return functional.conv_transpose2d(
            inputs[0], weight, bias, self.stride, self.padding, 0, self.groups, self.dilation
        )


@dataclass(frozen=True)
class Pooling(Window):
    """ceil: a last window that overhangs the map is kept, if it begins inside the map or the padding before it.

    That is Caffe's rule, and torch's. Where a stride is wider than its kernel Caffe may keep a window that holds
    nothing at all, whose value is undefined; it is left out here.
    """

    ceil: bool = checked(flag, True)

    def shape(self, *inputs: Shape) -> Shape:
        if any(2 * pad > side for pad, side in zip(self.padding, self.kernel, strict=True)):
            raise MisfitError("its padding is more than half of its kernel")
        sides = zip(inputs[0].size, self.kernel, self.stride, self.padding, strict=True)
        height, width = (self._windows(*side) for side in sides)
        return Shape(inputs[0].channels, height, width, inputs[0].scale * max(self.stride))

    def _windows(self, side: int, kernel: int, stride: int, padding: int) -> int:
        room = max(side + 2 * padding - kernel, 0)
        count = (-(-room // stride) if self.ceil else room // stride) + 1
        return count - 1 if (count - 1) * stride >= max(side, kernel - 2 * padding) + padding else count


@dataclass(frozen=True)
class MaxPooling(Pooling):
    op: ClassVar[str] = "max_pooling"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        x = continued(inputs[0], self.kernel, self.padding)
        return functional.max_pool2d(x, self.kernel, self.stride, self.padding, ceil_mode=self.ceil)


@dataclass(frozen=True)
class AveragePooling(Pooling):
    """The padding counts as zeros; what overhangs it does not count."""

    op: ClassVar[str] = "average_pooling"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        x = continued(inputs[0], self.kernel, self.padding)
        return functional.avg_pool2d(x, self.kernel, self.stride, self.padding, ceil_mode=self.ceil)


@dataclass(frozen=True)
class GlobalMax(Operation):
    op: ClassVar[str] = "global_max"

    def shape(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].channels, 1, 1, inputs[0].scale)

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return inputs[0].amax(dim=(2, 3), keepdim=True)


@dataclass(frozen=True)
class GlobalAverage(GlobalMax):
    op: ClassVar[str] = "global_average"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return inputs[0].mean(dim=(2, 3), keepdim=True)


def continued(x: Tensor, window: Pair, padding: Pair) -> Tensor:
    """x, continued by its last row and column where it would be smaller than the window even with its padding."""
    lacks = [max(side - 2 * pad - have, 0) for side, pad, have in zip(window, padding, x.shape[-2:], strict=True)]
    return functional.pad(x, (0, lacks[1], 0, lacks[0]), mode="replicate") if any(lacks) else x
