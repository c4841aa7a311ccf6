# SPDX-License-Identifier: GPL-3.0-or-later
"""EfficientNet-Lite0, built for dreaming: frozen, batch norm folded into the convolutions, channels last.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, in its Lite form
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite): no squeeze-and-excitation, ReLU6
instead of swish, a stem and a head of fixed width. Parameter names are those of lukemelas' PyTorch port.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_EPSILON = 1e-3
"""TensorFlow's EfficientNets use this; PyTorch's own default is 1e-5."""


class BlockShape(NamedTuple):
    """One inverted residual block: kernel and stride of its depthwise convolution, channels it hands on."""

    kernel: int
    stride: int
    channels: int


LITE0: tuple[BlockShape, ...] = (
    BlockShape(3, 1, 16),
    *(BlockShape(3, 2, 24), BlockShape(3, 1, 24)),
    *(BlockShape(5, 2, 40), BlockShape(5, 1, 40)),
    *(BlockShape(3, 2, 80), BlockShape(3, 1, 80), BlockShape(3, 1, 80)),
    *(BlockShape(5, 1, 112), BlockShape(5, 1, 112), BlockShape(5, 1, 112)),
    *(BlockShape(5, 2, 192), BlockShape(5, 1, 192), BlockShape(5, 1, 192), BlockShape(5, 1, 192)),
    BlockShape(3, 1, 320),
)
STEM_STRIDE = 2
CLASSIFIER = "_fc"


def block_strides() -> tuple[int, ...]:
    """How many pixels of the image one cell of each block's output stands for."""
    strides = [STEM_STRIDE]
    for block in LITE0:
        strides.append(strides[-1] * block.stride)
    return tuple(strides[1:])


class SameConv(nn.Module):
    """A convolution with its batch norm folded in, padded as TensorFlow's "same" for sides that the stride divides.

    TensorFlow puts the odd row or column of padding at the end, so a strided convolution needs an explicit pad.
    """

    def __init__(self, state: Mapping[str, Tensor], conv: str, norm: str, stride: int = 1) -> None:
        super().__init__()
        weight, bias = fold_batch_norm(state, conv, norm)
        self.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)
        self.stride = stride
        kernel = weight.shape[-1]
        self.groups = weight.shape[0] if weight.shape[1] == 1 else 1
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.uneven = None if before == after else (before, after, before, after)
        self.padding = before if self.uneven is None else 0

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven is not None:
            x = functional.pad(x, self.uneven)
        return functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, groups=self.groups)


class Block(nn.Module):
    """MBConv without squeeze-and-excitation: widen, filter each channel, narrow; added to its input if shapes agree."""

    def __init__(self, state: Mapping[str, Tensor], prefix: str, shape: BlockShape) -> None:
        super().__init__()
        widens = f"{prefix}._expand_conv.weight" in state
        self.expand = SameConv(state, f"{prefix}._expand_conv", f"{prefix}._bn0") if widens else None
        self.depthwise = SameConv(state, f"{prefix}._depthwise_conv", f"{prefix}._bn1", shape.stride)
        self.project = SameConv(state, f"{prefix}._project_conv", f"{prefix}._bn2")

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else functional.relu6(self.expand(x), inplace=True)
        narrow: Tensor = self.project(functional.relu6(self.depthwise(wide), inplace=True))
        return narrow + x if narrow.shape == x.shape else narrow


class EfficientNetLite0(nn.Module):
    """The convolutional part of the network, block by block, and its classifier.

    state: the published state dict; a missing entry raises KeyError.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.stem = SameConv(state, "_conv_stem", "_bn0", STEM_STRIDE)
        self.blocks = nn.ModuleList(Block(state, f"_blocks.{index}", shape) for index, shape in enumerate(LITE0))
        self.head = SameConv(state, "_conv_head", "_bn1")
        # a mean over positions commutes with it: as a convolution it says what is where
        self.classifier = nn.Conv2d(1280, len(state["_fc.weight"]), 1)
        self.classifier.load_state_dict({"weight": state["_fc.weight"][..., None, None], "bias": state["_fc.bias"]})
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Activations of the named blocks ("_blocks.0" to "_blocks.15") and of CLASSIFIER, the logits of its
        classes at each position; nothing after the last of them is run.

        x: 1x3xHxW, preprocessed; H and W divisible by the stride of the last layer asked for.
        """
        wanted = set(layers)
        found: dict[str, Tensor] = {}
        x = functional.relu6(self.stem(x), inplace=True)
        for index, block in enumerate(self.blocks):
            if len(found) == len(wanted):
                break
            x = block(x)
            if f"_blocks.{index}" in wanted:
                found[f"_blocks.{index}"] = x
        if CLASSIFIER in wanted:
            found[CLASSIFIER] = self.classifier(functional.relu6(self.head(x), inplace=True))
        return found


def fold_batch_norm(state: Mapping[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of one convolution that does what a bias-free convolution and its batch norm do."""
    # in double what is small: copies of the weights themselves would take most of the time that loading takes
    scale = state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + BATCH_NORM_EPSILON).sqrt()
    weight = state[f"{conv}.weight"] * scale.float()[:, None, None, None]
    bias = state[f"{norm}.bias"].double() - state[f"{norm}.running_mean"].double() * scale
    return weight, bias.float()
