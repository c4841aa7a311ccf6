# SPDX-License-Identifier: GPL-3.0-or-later
"""What joins several maps into one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor

from .operation import MAX_CHANNELS, MAX_INPUTS, MisfitError, Operation, Pair, Shape, Tensors, checked, numbers


@dataclass(frozen=True)
class Joint(Operation):
    """Of several maps. Where they differ in size by a rounding of their strides, all are cut to the smallest."""

    inputs: ClassVar[Pair] = (2, MAX_INPUTS)
    fresh: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        scale = max(one.scale for one in inputs)
        return Shape(inputs[0].channels, *_common([one.size for one in inputs]), scale)


@dataclass(frozen=True)
class Concat(Joint):
    op: ClassVar[str] = "concat"
    inputs: ClassVar[Pair] = (1, MAX_INPUTS)

    def shape(self, *inputs: Shape) -> Shape:
        height, width = min(one.height for one in inputs), min(one.width for one in inputs)
        channels = sum(one.channels for one in inputs)
        if channels > MAX_CHANNELS:
            raise MisfitError(f"it would have {channels} channels, more than {MAX_CHANNELS}")
        return Shape(channels, height, width, max(one.scale for one in inputs))

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        height, width = min(x.shape[-2] for x in inputs), min(x.shape[-1] for x in inputs)
        return torch.cat([x[..., :height, :width] for x in inputs], dim=1)


@dataclass(frozen=True)
class Elementwise(Joint):
    """A map of one single cell goes with every cell of the others."""

    def shape(self, *inputs: Shape) -> Shape:
        if len({one.channels for one in inputs}) > 1:
            raise MisfitError(f"its inputs have {', '.join(str(one.channels) for one in inputs)} channels")
        return super().shape(*inputs)


@dataclass(frozen=True)
class Sum(Elementwise):
    """coefficients: of each input; none: 1."""

    op: ClassVar[str] = "sum"
    coefficients: tuple[float, ...] = checked(numbers, ())

    def shape(self, *inputs: Shape) -> Shape:
        if self.coefficients and len(self.coefficients) != len(inputs):
            raise MisfitError(f"it has {len(inputs)} inputs and {len(self.coefficients)} coefficients")
        return super().shape(*inputs)

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        maps = _alike(inputs)
        if any(one != 1 for one in self.coefficients):
            maps = [x * one for x, one in zip(maps, self.coefficients, strict=True)]
        return reduce(torch.add, maps)


@dataclass(frozen=True)
class Product(Elementwise):
    op: ClassVar[str] = "product"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return reduce(torch.mul, _alike(inputs))


@dataclass(frozen=True)
class Maximum(Elementwise):
    op: ClassVar[str] = "maximum"
    fresh: ClassVar[bool] = False

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return reduce(torch.maximum, _alike(inputs))


def _common(sizes: list[Pair]) -> Pair:
    """The smallest side of those above 1, for the height and for the width."""
    height, width = (min([side for side in sides if side > 1] or [1]) for sides in zip(*sizes, strict=True))
    return height, width


def _alike(inputs: tuple[Tensor, ...]) -> list[Tensor]:
    height, width = _common([(x.shape[-2], x.shape[-1]) for x in inputs])
    return [x[..., :height, :width] for x in inputs]
