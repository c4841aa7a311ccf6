# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation is: checked numbers, and what they do to shapes and to tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, ClassVar, TypeVar

from torch import Tensor

MAX_SIDE = 1024
"""Of a kernel, a stride, a padding or a dilation."""
MAX_CHANNELS = 2**18
MAX_INPUTS = 512
LARGEST_NUMBER = 1e9

Pair = tuple[int, int]
Tensors = Mapping[str, Tensor]
_Value = TypeVar("_Value")


class MisfitError(Exception):
    """What was asked for cannot be: a number out of range, shapes that do not go together."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of an activation. scale: pixels of the image per cell."""

    channels: int
    height: int
    width: int
    scale: Fraction = Fraction(1)

    @property
    def size(self) -> Pair:
        return self.height, self.width

    @property
    def stride(self) -> int:
        """Whole pixels of the image per cell."""
        return max(1, math.ceil(self.scale))


def checked(check: Callable[[Any], _Value], default: Any = ...) -> Any:
    """A field of an operation, whose value `check` lets through or refuses with MisfitError."""
    metadata = {"check": check}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


def whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise MisfitError(f"must be a whole number from {low} to {high}")
        return value

    return check


def pair(low: int) -> Callable[[Any], Pair]:
    one = whole(low, MAX_SIDE)

    def check(value: Any) -> Pair:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise MisfitError("must be two numbers, for height and width")
        return one(value[0]), one(value[1])

    return check


def number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= LARGEST_NUMBER:
        raise MisfitError(f"must be a number of at most {LARGEST_NUMBER:g}")
    return float(value)


def numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_INPUTS:
        raise MisfitError(f"must be at most {MAX_INPUTS} numbers")
    return tuple(number(one) for one in value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MisfitError("must be true or false")
    return value


@dataclass(frozen=True)
class Operation:
    """What one node does. op: its name in a description. inputs: the least and the most that it takes.

    fresh: its result is a tensor of its own that no backward pass looks at, so that a ReLU may overwrite it.
    """

    op: ClassVar[str] = ""
    inputs: ClassVar[Pair] = (1, 1)
    fresh: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            try:
                object.__setattr__(self, one.name, one.metadata["check"](value))
            except MisfitError as error:
                raise MisfitError(f"its {one.name} {error}, not {str(value)[:80]}") from None

    def shape(self, *inputs: Shape) -> Shape:
        """Of the result. Raises MisfitError where the inputs do not go together."""
        return inputs[0]

    def tensors(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        """The weights that it needs, by name, and their shapes."""
        return {}

    def apply(self, tensors: Tensors, *inputs: Tensor) -> Tensor:
        raise NotImplementedError
