# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that a `graph` network is made of: plain data that says what it does to shapes and to tensors.

Activations are 1xCxhxw. Each operation's numbers are checked when it is made, for they may come from a stranger's file.
A map smaller than a convolution's or a pooling's window is continued by its edge, so that an image of any size runs.
"""

from __future__ import annotations

from .cells import ELU, LRN, Absolute, Affine, Normalize, Power, PReLU, ReLU, Sigmoid, Softmax, TanH
from .joints import Concat, Maximum, Product, Sum
from .operation import Operation
from .windows import AveragePooling, Convolution, Deconvolution, GlobalAverage, GlobalMax, MaxPooling

OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind
    for kind in (
        *(Convolution, Deconvolution, MaxPooling, AveragePooling, GlobalMax, GlobalAverage),
        *(ReLU, PReLU, ELU, Sigmoid, TanH, Absolute, Power, Affine, LRN, Normalize, Softmax),
        *(Concat, Sum, Product, Maximum),
    )
}
"""Every operation, by its name in a description."""

__all__ = [
    "ELU",
    "LRN",
    "OPERATIONS",
    "Absolute",
    "Affine",
    "AveragePooling",
    "Concat",
    "Convolution",
    "Deconvolution",
    "GlobalAverage",
    "GlobalMax",
    "MaxPooling",
    "Maximum",
    "Normalize",
    "Operation",
    "PReLU",
    "Power",
    "Product",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Sum",
    "TanH",
]
