# SPDX-License-Identifier: GPL-3.0-or-later
"""EfficientNet-Lite0 as it learns: its batch norms stand by themselves, and its weights have the published names.

`engine.networks.efficientnet` is the same network for dreaming, frozen and folded.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..engine.networks.efficientnet import BATCH_NORM_EPSILON, LITE0, STEM_STRIDE, BlockShape

STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
EXPANSION = 6
"""How many times wider a block is inside; the first one is not."""
MOMENTUM = 0.1


class LearningBlock(nn.Module):
    """MBConv without squeeze-and-excitation. taken: channels that it is given."""

    def __init__(self, taken: int, shape: BlockShape, expansion: int) -> None:
        super().__init__()
        wide = taken * expansion
        self.widens = expansion > 1
        if self.widens:
            self._expand_conv = SameConv2d(taken, wide)
            self._bn0 = _norm(wide)
        self._depthwise_conv = SameConv2d(wide, wide, shape.kernel, shape.stride, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = SameConv2d(wide, shape.channels)
        self._bn2 = _norm(shape.channels)

    def forward(self, x: Tensor) -> Tensor:
        wide = functional.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.widens else x
        deep = functional.relu6(self._bn1(self._depthwise_conv(wide)), inplace=True)
        narrow: Tensor = self._bn2(self._project_conv(deep))
        return narrow + x if narrow.shape == x.shape else narrow


class LearningLite0(nn.Module):
    """The whole network, for a number of classes."""

    quick_in_half = True
    """Half precision is quicker on CPUs that know it, too: by a sixth."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, STEM_CHANNELS, 3, STEM_STRIDE)
        self._bn0 = _norm(STEM_CHANNELS)
        taken = [STEM_CHANNELS, *(shape.channels for shape in LITE0)]
        expansions = [1] + [EXPANSION] * (len(LITE0) - 1)
        self._blocks = nn.ModuleList(map(LearningBlock, taken, LITE0, expansions))
        self._conv_head = SameConv2d(taken[-1], HEAD_CHANNELS)
        self._bn1 = _norm(HEAD_CHANNELS)
        self._fc = nn.Linear(HEAD_CHANNELS, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Nx3xHxW, preprocessed, to logits, Nxclasses."""
        x = functional.relu6(self._bn0(self._conv_stem(x)), inplace=True)
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)), inplace=True)
        logits: Tensor = self._fc(x.mean((2, 3)))
        return logits


class SameConv2d(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow's "same" for sides that the stride divides."""

    def __init__(self, taken: int, given: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        super().__init__(taken, given, kernel, stride, before if before == after else 0, groups=groups, bias=False)
        self.uneven = None if before == after else (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel_size == (1, 1) and x.device.type == "cpu":
            # in half precision, too, this is quick on CPUs, forwards and backwards; what slides is not
            return functional.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1)).permute(0, 3, 1, 2)
        x = x if self.uneven is None else functional.pad(x, self.uneven)
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPSILON, momentum=MOMENTUM)
