# SPDX-License-Identifier: GPL-3.0-or-later
"""What a traced network's layers are, found without its weights: shapes pass through it on torch's meta device."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, fx, nn

from .traced import Traced

LARGEST = 512
"""Sides in pixels above which nobody asks how small an image may be."""

_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish)
_HEADS = ("classifier", "fc", "head", "heads")

Shapes = Mapping[str, tuple[int, ...]]
"""Of the value of each node, by the node's name."""


class Spot(NamedTuple):
    """What a block hands on. stride: pixels of the image per cell. rows_first: 1xhxwxC instead of 1xCxhxw."""

    channels: int
    stride: int
    rows_first: bool


def spots(traced: Traced) -> dict[str, Spot]:
    """Every block of a network on the meta device that sees where things are, by its path, early to late."""
    whole = fx.GraphModule(traced.module, traced.graph)
    small, large = (shapes(whole, side) for side in (LARGEST, 2 * LARGEST))
    found = {}
    for path in blocks(traced.module):
        node = traced.last_of(path)
        if node is not None and node.name in small:
            shape, wide = small[node.name], large[node.name]
            if len(shape) == 4 and shape != wide:
                found[path] = _spot(shape, wide)
    return found


def _spot(shape: tuple[int, ...], wide: tuple[int, ...]) -> Spot:
    rows_first = shape[3] == wide[3]
    row = 1 if rows_first else 2
    # by the difference: without padding the borders see less, whatever the size
    return Spot(shape[3 if rows_first else 1], round(LARGEST / (wide[row] - shape[row])), rows_first)


def smallest_side(traced: Traced) -> int | None:
    """Side in pixels of the smallest image that passes through all of a network on the meta device.

    None if none does: it takes images of one size only.
    """
    whole = fx.GraphModule(traced.module, traced.graph)
    side = 1 + bisect.bisect_left(range(1, LARGEST + 1), True, key=lambda side: bool(shapes(whole, side)))
    return side if side <= LARGEST else None


def shapes(whole: fx.GraphModule, side: int) -> Shapes:
    """What becomes of an image of side x side pixels; nothing if it does not pass."""
    found: dict[str, tuple[int, ...]] = {}

    class Survey(fx.Interpreter):
        def run_node(self, n: fx.Node) -> object:
            value = super().run_node(n)
            if isinstance(value, Tensor):
                found[n.name] = tuple(value.shape)
            return value

    interpreter = Survey(whole)
    interpreter.extra_traceback = False
    try:
        interpreter.run(torch.zeros(1, 3, side, side, device="meta"))
    except (RuntimeError, AssertionError):  # so torch says of an image that is too small
        return {}
    return found


def blocks(module: nn.Module, prefix: str = "") -> Iterator[str]:
    """The paths of what a network is made of: modules of its own kind, and activations that stand by themselves."""
    for name, part in module.named_children():
        path = f"{prefix}{name}"
        if path in _HEADS:
            continue
        if _is_container(part):
            yield from blocks(part, f"{path}.")
        elif isinstance(part, _ACTIVATIONS) or any(part.children()):
            yield path


def _is_container(module: nn.Module) -> bool:
    """Whether a module only lines up others; torchvision's own kinds of Sequential are blocks if they hold none."""
    if type(module) in (nn.Sequential, nn.ModuleList):
        return True
    return isinstance(module, nn.Sequential) and all(any(part.children()) for part in module)
