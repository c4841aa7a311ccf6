# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that dreaming on a CPU spends its time in, done the quickest way that torch has for frozen weights.

torch's own backward passes are made for training. Here only the image needs a gradient, so weights are laid out once
as oneDNN wants them, a ReLU is a part of the convolution before it, and each backward pass is what its shape suits.
All tensors are 1xCxHxW, channels last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

Pair = tuple[int, int]
Activation = Literal["none", "relu", "relu6"]

FEW_CHANNELS = 8
"""Up to so many, a strided convolution's backward pass is quicker as a convolution that finds all phases at once."""

LAYOUTS_KEPT = 64
"""How many sizes of maps a convolution remembers the layout of its weights for; what comes then begins anew."""

_PADDING = slice(108, 112)
"""Bytes of a serialized description of memory that mean nothing, and are not always the same."""

_FUSED = {"none": ("none", []), "relu": ("relu", []), "relu6": ("hardtanh", [0.0, 6.0])}


Kept = Any
"""What a kernel needs to know for its gradient; each kind of its own."""


class Kernel(Protocol):
    """One operation. Its gradient is that of the image only: weights have none."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Kept]:
        """The result, and what `backward` will need to know: no more, because it stays in memory until then."""

    def backward(self, kept: Kept, gradient: Tensor) -> tuple[Tensor, ...]:
        """The gradient of each input, from that of the result. May be asked for several times."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a kernel slides over a map: rows, columns."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


class Convolution:
    """A convolution with its activation.

    weight: OxIxKxL in the precision to calculate in. bias: O, or none.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, geometry: Geometry, activation: Activation = "none"
    ) -> None:
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._geometry = geometry
        self._activation: Activation = activation
        self._packed = _Packed(weight, bias, geometry, activation)
        self._reverse = self._reversed()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[torch.Size, Tensor | None]]:
        x, output = inputs[0], self._packed(inputs[0])
        return output, (x.shape, None if self._activation == "none" else output)

    def backward(self, kept: Kept, gradient: Tensor, onto: Tensor | None = None) -> tuple[Tensor]:
        """onto: what the image's gradient is to be added to, in place: that takes no time of its own."""
        size, output = kept
        if self._activation == "relu":
            gradient = torch.ops.aten.threshold_backward(gradient, output, 0)
        elif self._activation == "relu6":
            gradient = torch.ops.aten.hardtanh_backward(gradient, output, 0, 6)
        if self._reverse is not None:
            return (self._reverse(gradient, size[-2:], onto),)
        found = self._plain_backward(size, gradient)
        return (found if onto is None else onto.add_(found),)

    def tensors(self) -> Iterator[Tensor]:
        """Its weights, in every layout that they are kept in."""
        yield self._weight
        yield from self._packed.tensors()
        if self._reverse is not None:
            yield from self._reverse.tensors()

    def _reversed(self) -> _Transposed | None:
        """Where a backward pass that is a forward one with other weights is quicker than torch's own."""
        slides, (inputs, *kernel) = self._geometry, self._weight.shape[1:]
        plain = slides.dilation == (1, 1) and slides.stride[0] == slides.stride[1]
        reaches = all(pad < side for pad, side in zip(slides.padding, kernel, strict=True))
        quicker = slides.stride == (1, 1) or (slides.groups == 1 and inputs <= FEW_CHANNELS)
        return _Transposed(self._weight, slides) if plain and reaches and quicker else None

    def _plain_backward(self, size: torch.Size, gradient: Tensor) -> Tensor:
        slides, precision = self._geometry, gradient.dtype
        # channel by channel torch's own takes eight times as long in half precision
        working = torch.float32 if slides.groups > 1 else precision
        gradient = gradient.to(working).contiguous(memory_format=torch.channels_last)
        # of the map before it torch looks at nothing but its size
        before = torch.empty(size, dtype=working, memory_format=torch.channels_last)
        options = (slides.stride, slides.padding, slides.dilation, False, (0, 0), slides.groups, (True, False, False))
        weight = self._weight.to(working)
        found: Tensor = torch.ops.aten.convolution_backward(gradient, before, weight, None, *options)[0]
        return found.to(precision)


class _Packed:
    """A convolution whose weights lie as oneDNN wants them, for maps of every size that comes along.

    It wants them otherwise for small maps than for large ones, and for two threads than for one; where they lie
    otherwise it falls back to loops that take up to thirty times as long. Most sizes share a layout.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, geometry: Geometry, activation: Activation = "none"
    ) -> None:
        self._slides = (geometry.padding, geometry.stride, geometry.dilation, geometry.groups)
        self._channels = weight.shape[1] * geometry.groups
        self._weight = weight.contiguous().to_mkldnn()
        self._bias = bias
        self._activation = (*_FUSED[activation], "")
        self._fitting: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """onto: to which the result is added, in place, instead of the activation."""
        x = x.contiguous(memory_format=torch.channels_last)
        size = (x.shape[-2], x.shape[-1], torch.get_num_threads())
        weight = self._fitting[size] if size in self._fitting else self._fit(size)
        found: Tensor
        if onto is None:
            convolve = torch.ops.mkldnn._convolution_pointwise
            found = convolve(x, weight, self._bias, *self._slides, *self._activation)
        else:
            add = torch.ops.mkldnn._convolution_pointwise_.binary
            found = add(onto, x, weight, self._bias, *self._slides, "add", 1.0, None, [], None)
        return found

    def tensors(self) -> Iterator[Tensor]:
        """The weights in each layout, one of them perhaps several times."""
        yield from (self._weight, *self._fitting.values())

    def _fit(self, size: tuple[int, ...]) -> Tensor:
        if len(self._fitting) >= LAYOUTS_KEPT:
            self._fitting.clear()
        # from any layout to any other
        pack: Callable[..., Tensor] = torch._C._nn.mkldnn_reorder_conv2d_weight
        packed = pack(self._weight, *self._slides, (1, self._channels, *size[:2]))
        layout = _layout(packed)
        alike = next((known for known in self._fitting.values() if _layout(known) == layout), packed)
        self._weight = self._fitting[size] = alike
        return alike


def _layout(packed: Tensor) -> bytes:
    """How oneDNN's weights lie in memory."""
    described = bytearray(torch.ops.mkldnn._get_mkldnn_serialized_md(packed).numpy().tobytes())
    del described[_PADDING]
    return bytes(described)


class _Transposed:
    """What a convolution does backwards, as a convolution.

    Pixel `stride * b + r` of the padded image was seen by output cell `b - q` through weight `stride * q + r`. So one
    convolution with kernels as long as there are q finds all phases r of the image as channels, and they are shuffled
    into their places (Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network", 2016). Where channels fall into groups the stride is 1: each group is one by itself.
    """

    def __init__(self, weight: Tensor, slides: Geometry) -> None:
        (outputs, inputs, *kernel), stride, groups = weight.shape, slides.stride[0], slides.groups
        rows, columns = (-(-side // stride) for side in kernel)
        more = (0, columns * stride - kernel[1], 0, rows * stride - kernel[0])
        own = outputs // groups
        phases = functional.pad(weight, more).reshape(groups, own, inputs, rows, stride, columns, stride)
        swapped = phases.flip(3, 5).permute(4, 6, 0, 2, 1, 3, 5).reshape(-1, own, rows, columns)
        # where nothing is shuffled, what lies in the padding need not be found
        self._cut, unseen = (slides.padding, (0, 0)) if stride > 1 else ((0, 0), slides.padding)
        self._stride = stride
        reach = (rows - 1 - unseen[0], columns - 1 - unseen[1])
        self._convolve = _Packed(swapped, None, Geometry(padding=reach, groups=groups))

    def __call__(self, gradient: Tensor, size: torch.Size, onto: Tensor | None = None) -> Tensor:
        if self._stride == 1:
            return self._convolve(gradient, onto)
        top, left = self._cut
        found = self._shuffled(self._convolve(gradient))[..., top : top + size[0], left : left + size[1]]
        missing = (0, size[1] - found.shape[-1], 0, size[0] - found.shape[-2])
        found = functional.pad(found, missing) if any(missing) else found
        return found if onto is None else onto.add_(found)

    def tensors(self) -> Iterator[Tensor]:
        return self._convolve.tensors()

    def _shuffled(self, phases: Tensor) -> Tensor:
        """The phases of each cell, channel after channel, side by side as pixels."""
        height, width = phases.shape[-2:]
        cells = phases.permute(0, 2, 3, 1).reshape(height, width, self._stride, -1)
        pixels = cells.transpose(1, 2).reshape(1, height * self._stride, width * self._stride, -1)
        return pixels.permute(0, 3, 1, 2)


class Concatenation:
    """Of maps, channel after channel."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, list[int]]:
        return torch.cat(inputs, dim=1), [x.shape[1] for x in inputs]

    def backward(self, kept: Kept, gradient: Tensor) -> tuple[Tensor, ...]:
        return torch.split(gradient, kept, dim=1)


class Sum:
    """Of two maps of the same shape."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, None]:
        return inputs[0] + inputs[1], None

    def backward(self, kept: Kept, gradient: Tensor) -> tuple[Tensor, Tensor]:
        return gradient, gradient


class Differentiated:
    """Any other operation, with the derivative that torch finds for it."""

    def __init__(self, operation: Callable[..., Tensor]) -> None:
        self._operation = operation

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
        with torch.enable_grad():
            leaves = [x.detach().requires_grad_() for x in inputs]
            output = self._operation(*leaves)
        return output.detach(), (output, leaves)

    def backward(self, kept: Kept, gradient: Tensor) -> tuple[Tensor, ...]:
        output, leaves = kept
        found: tuple[Tensor, ...] = torch.autograd.grad(output, leaves, gradient, retain_graph=True)
        return found
