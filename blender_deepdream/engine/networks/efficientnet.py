# SPDX-License-Identifier: GPL-3.0-or-later
"""EfficientNet-Lite0, built for dreaming: frozen, batch norm folded into the convolutions, channels last.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, in its Lite form
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite): no squeeze-and-excitation, ReLU6
instead of swish, a stem and a head of fixed width. Parameter names are those of lukemelas' PyTorch port.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from .traced import TracedNetwork, trace

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


class Block(nn.Module):
    """MBConv without squeeze-and-excitation: widen, filter each channel, narrow; added to its input if shapes agree."""

    def __init__(self, state: Mapping[str, Tensor], prefix: str, shape: BlockShape) -> None:
        super().__init__()
        widens = f"{prefix}._expand_conv.weight" in state
        self.expand = same_convolution(state, f"{prefix}._expand_conv", f"{prefix}._bn0") if widens else None
        self.depthwise = same_convolution(state, f"{prefix}._depthwise_conv", f"{prefix}._bn1", shape.stride)
        self.project = same_convolution(state, f"{prefix}._project_conv", f"{prefix}._bn2")
        taken = self.depthwise if self.expand is None else self.expand
        self.adds = shape.stride == 1 and taken.in_channels == self.project.out_channels

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else functional.relu6(self.expand(x))
        narrow: Tensor = self.project(functional.relu6(self.depthwise(wide)))
        return narrow + x if self.adds else narrow


class EfficientNetLite0(nn.Module):
    """The whole network but for the mean over positions, with which the classifier commutes: it says what is where.

    state: the published state dict; a missing entry raises KeyError.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.stem = same_convolution(state, "_conv_stem", "_bn0", STEM_STRIDE)
        self.blocks = nn.ModuleList(Block(state, f"_blocks.{index}", shape) for index, shape in enumerate(LITE0))
        self.head = same_convolution(state, "_conv_head", "_bn1")
        self.classifier = convolution(state[f"{CLASSIFIER}.weight"][..., None, None], state[f"{CLASSIFIER}.bias"])

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.classifier(functional.relu6(self.head(x)))
        return logits


def efficientnet_lite0(state: Mapping[str, Tensor]) -> TracedNetwork:
    """The network, ready to dream. Its layers: the blocks, "_blocks.0" to "_blocks.15", and CLASSIFIER, the logits of
    its classes at each position. Sides of what it is given are divisible by the stride of the last layer asked for.

    state: the published state dict; a missing entry raises KeyError.
    """
    places = {f"_blocks.{index}": f"blocks.{index}" for index in range(len(LITE0))}
    return TracedNetwork(trace(EfficientNetLite0(state)), {**places, CLASSIFIER: ""})


def same_convolution(state: Mapping[str, Tensor], conv: str, norm: str, stride: int = 1) -> nn.Conv2d:
    """A convolution with its batch norm folded in, padded as TensorFlow's "same" for sides that the stride divides.

    TensorFlow puts the odd row or column of padding at the end. Here it is at both ends, and weights of 0 stand on the
    one at the beginning: a copy of the map with its padding would take longer.
    """
    weight, bias = fold_batch_norm(state, conv, norm)
    kernel = weight.shape[-1]
    before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
    weight = functional.pad(weight, (after - before, 0) * 2)
    return convolution(weight, bias, stride, after, groups=weight.shape[0] if weight.shape[1] == 1 else 1)


def convolution(weight: Tensor, bias: Tensor, stride: int = 1, padding: int = 0, groups: int = 1) -> nn.Conv2d:
    """With these weights, in float32 whatever they are stored in."""
    outputs, inputs, *kernel = weight.shape
    sides = (kernel[0], kernel[1])
    made = nn.Conv2d(inputs * groups, outputs, sides, stride, padding, groups=groups, device="meta")
    made.load_state_dict({"weight": weight.float(), "bias": bias.float()}, assign=True)
    return made


def fold_batch_norm(state: Mapping[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of one convolution that does what a bias-free convolution and its batch norm do."""
    # in double what is small: copies of the weights themselves would take most of the time that loading takes
    scale = state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + BATCH_NORM_EPSILON).sqrt()
    weight = state[f"{conv}.weight"] * scale.float()[:, None, None, None]
    bias = state[f"{norm}.bias"].double() - state[f"{norm}.running_mean"].double() * scale
    return weight, bias.float()
