# SPDX-License-Identifier: GPL-3.0-or-later
"""What treats each cell of a map alone: activations, scales, and norms over its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from .operation import MisfitError, Operation, Shape, Tensors, checked, flag, number, whole


def _slope(value: Any) -> float:
    # below 0 torch cannot tell from the result what the input was
    if number(value) < 0:
        raise MisfitError("must not be negative")
    return number(value)


@dataclass(frozen=True)
class ReLU(Operation):
    """slope: of negative values."""

    op: ClassVar[str] = "relu"
    slope: float = checked(_slope, 0.0)

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return functional.leaky_relu(inputs[0], self.slope) if self.slope else functional.relu(inputs[0])

    def overwrite(self, x: Tensor) -> Tensor:
        """The same, in the memory of x."""
        return functional.leaky_relu_(x, self.slope) if self.slope else functional.relu_(x)


@dataclass(frozen=True)
class PReLU(Operation):
    """Negative values times a slope of each channel's own. He et al. 2015, https://arxiv.org/abs/1502.01852."""

    op: ClassVar[str] = "prelu"

    def tensors(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (inputs[0].channels,)}

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return functional.prelu(inputs[0], tensors["weight"])


@dataclass(frozen=True)
class ELU(Operation):
    op: ClassVar[str] = "elu"
    alpha: float = checked(number, 1.0)

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return functional.elu(inputs[0], self.alpha)


@dataclass(frozen=True)
class Sigmoid(Operation):
    op: ClassVar[str] = "sigmoid"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return inputs[0].sigmoid()


@dataclass(frozen=True)
class TanH(Operation):
    op: ClassVar[str] = "tanh"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return inputs[0].tanh()


@dataclass(frozen=True)
class Absolute(Operation):
    op: ClassVar[str] = "absolute"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return inputs[0].abs()


@dataclass(frozen=True)
class Power(Operation):
    """(shift + scale x) ^ power."""

    op: ClassVar[str] = "power"
    power: float = checked(number, 1.0)
    scale: float = checked(number, 1.0)
    shift: float = checked(number, 0.0)

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        x = inputs[0] * self.scale + self.shift
        return x if self.power == 1 else x.pow(self.power)


@dataclass(frozen=True)
class Affine(Operation):
    """Each channel times a weight, plus a bias: what batch norm is once it has been trained."""

    op: ClassVar[str] = "affine"
    fresh: ClassVar[bool] = True

    def tensors(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (inputs[0].channels,), "bias": (inputs[0].channels,)}

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        weight, bias = (tensors[name].view(1, -1, 1, 1) for name in ("weight", "bias"))
        return torch.addcmul(bias, inputs[0], weight)


@dataclass(frozen=True)
class LRN(Operation):
    """x / (k + alpha mean(x²)) ^ beta: local response normalisation of Krizhevsky, Sutskever and Hinton, 2012.

    The mean is over `size` neighbouring channels, or over a square of `size` cells `within` each channel.
    """

    op: ClassVar[str] = "lrn"
    size: int = checked(whole(1, 255), 5)
    alpha: float = checked(number, 1.0)
    beta: float = checked(number, 0.75)
    k: float = checked(number, 1.0)
    within: bool = checked(flag, False)

    def shape(self, *inputs: Shape) -> Shape:
        if self.size % 2 == 0:
            raise MisfitError(f"its size must be odd, not {self.size}")
        return inputs[0]

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        x = inputs[0]
        square, half = x.square(), self.size // 2
        if self.within:
            mean = functional.avg_pool2d(square, self.size, 1, half)
        else:
            # channels last: they lie beside each other in memory, as a row of an image does
            mean = functional.avg_pool2d(square.permute(0, 2, 3, 1), (1, self.size), 1, (0, half)).permute(0, 3, 1, 2)
        return x * mean.mul(self.alpha).add(self.k).pow(-self.beta)


@dataclass(frozen=True)
class Normalize(Operation):
    """Each cell's vector of channels over its length; over the length of all cells together if `across_cells`."""

    op: ClassVar[str] = "normalize"
    across_cells: bool = checked(flag, False)
    epsilon: float = checked(number, 1e-10)

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        dims = (1, 2, 3) if self.across_cells else (1,)
        return inputs[0] * inputs[0].square().sum(dim=dims, keepdim=True).add(self.epsilon).rsqrt()


@dataclass(frozen=True)
class Softmax(Operation):
    op: ClassVar[str] = "softmax"

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        return inputs[0].softmax(dim=1)
