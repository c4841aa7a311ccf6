# SPDX-License-Identifier: GPL-3.0-or-later
"""A network as a list of kernels, run forwards and then backwards, as one step in torch's graph of derivatives.

The graph that torch would build has a node for each of a hundred kernels, and takes as long as a small image's kernels
themselves; here what a kernel keeps for its gradient lies in a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .kernels import Convolution, Kept, Kernel
from .pooling import MaxPooling


class Step(NamedTuple):
    """One kernel's turn. name: of its result. inputs: names of earlier results, or of the image."""

    name: str
    kernel: Kernel
    inputs: tuple[str, ...]


class Program:
    """Steps in order. image: the name of what they begin with. wanted: by layer, the name of the result that it is."""

    def __init__(self, image: str, steps: Sequence[Step], wanted: Mapping[str, str]) -> None:
        self._image = image
        self._steps = tuple(steps)
        self._layers = dict(wanted)
        self._wanted = tuple(dict.fromkeys(wanted.values()))
        self._done = _last_uses(self._steps, self._wanted)

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """The layers' values. x: 1x3xHxW, in the precision to calculate in."""
        if torch.is_grad_enabled() and x.requires_grad:
            values = _Differentiable.apply(self, x)
        else:
            values, _ = self.forward(x)
        found = dict(zip(self._wanted, values, strict=True))
        return {layer: found[name] for layer, name in self._layers.items()}

    def forward(self, x: Tensor) -> tuple[tuple[Tensor, ...], list[Kept]]:
        """The wanted values, and what `backward` needs to know of each step."""
        values = {self._image: x}
        kept = []
        for step, done in zip(self._steps, self._done, strict=True):
            values[step.name], needed = step.kernel.forward(*[values[name] for name in step.inputs])
            kept.append(needed)
            for name in done:
                del values[name]
        return tuple(values[name] for name in self._wanted), kept

    def backward(self, kept: list[Kept], gradients: Sequence[Tensor | None]) -> Tensor | None:
        """The image's gradient, from those of the wanted values. Empties `kept` on its way: memory for gradients."""
        sums = _Sums()
        for name, gradient in zip(self._wanted, gradients, strict=True):
            if gradient is not None:
                sums.add(name, gradient)
        for step in reversed(self._steps):
            needed, gradient = kept.pop(), sums.pop(step.name)
            if gradient is not None:
                sums.add_those_of(step, needed, gradient)
        return sums.pop(self._image)


class _Sums:
    """Gradients by the names of results, each the sum of those that were found until now."""

    def __init__(self) -> None:
        self._known: dict[str, Tensor] = {}
        self._own: set[str] = set()

    def pop(self, name: str) -> Tensor | None:
        self._own.discard(name)
        return self._known.pop(name, None)

    def add_those_of(self, step: Step, needed: Kept, gradient: Tensor) -> None:
        """What a step finds for its inputs from the gradient of its result."""
        name = step.inputs[0]
        if isinstance(step.kernel, Convolution) and name in self._own:
            step.kernel.backward(needed, gradient, onto=self._known[name])
            return
        own = isinstance(step.kernel, Convolution | MaxPooling)
        for name, found in zip(step.inputs, step.kernel.backward(needed, gradient), strict=True):
            self.add(name, found, own)

    def add(self, name: str, gradient: Tensor, own: bool = False) -> None:
        """own: whether its memory is nobody else's."""
        if name in self._own:
            self._known[name].add_(gradient)
            return
        if name in self._known:
            gradient, own = self._known[name] + gradient, True
        self._known[name] = gradient
        if own:
            self._own.add(name)


class _Differentiable(torch.autograd.Function):
    """A program in torch's graph of derivatives."""

    @staticmethod
    def forward(ctx: Any, program: Program, x: Tensor) -> tuple[Tensor, ...]:
        values, ctx.kept = program.forward(x)
        ctx.program = program
        ctx.save_for_backward(x)
        ctx.set_materialize_grads(False)
        # not the kept ones: those would keep this step of the graph alive, and it them
        return tuple(value.detach() for value in values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        _ = ctx.saved_tensors  # raises torch's own error where a gradient was not to be asked for again
        again = torch._C._autograd._get_current_graph_task_keep_graph()
        return None, ctx.program.backward(list(ctx.kept) if again else ctx.kept, gradients)


def _last_uses(steps: Sequence[Step], wanted: Sequence[str]) -> list[list[str]]:
    """For each step the values that nobody needs after it."""
    last = {name: number for number, step in enumerate(steps) for name in (step.name, *step.inputs)}
    done: list[list[str]] = [[] for _ in steps]
    for name, number in last.items():
        if name not in wanted:
            done[number].append(name)
    return done
