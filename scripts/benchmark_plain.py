# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream as anybody would write it down in torch, to measure the product against.

The whole algorithm: octaves that keep the source's detail, jitter, gradients smoothed over three scales and normalised,
frozen weights, the network cut at the layer that dreams.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.feature_extraction import create_feature_extractor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PlainDream:
    """model: a torchvision network, in evaluation mode. It is frozen and cut at the layer."""

    def __init__(self, model: nn.Module, layer: str, jitter: int, step_size: float) -> None:
        self.network = create_feature_extractor(model.requires_grad_(False), {layer: "layer"})
        self._jitter, self._step_size = jitter, step_size
        device = next(model.parameters()).device
        self._mean, self._std = (torch.tensor(numbers, device=device).view(1, 3, 1, 1) for numbers in (MEAN, STD))

    def __call__(self, source: Tensor, sides: Sequence[int], steps: int) -> float:
        """Dream a 1x3xHxW image in octaves of these sides. Returns the objective before the last step."""
        numbers, detail, value = random.Random(0), torch.zeros_like(source), torch.zeros(())
        for side in sides:
            base, detail = (
                functional.interpolate(image, (side, side), mode="bicubic", antialias=True)
                for image in (source, detail)
            )
            dreamt = (base + detail).clamp(0, 1)
            for _ in range(steps):
                change, value = self._step(dreamt, numbers)
                dreamt = (dreamt + change).clamp(0, 1)
            detail = dreamt - base
        return float(value)

    def _step(self, image: Tensor, numbers: random.Random) -> tuple[Tensor, Tensor]:
        shift = [numbers.randint(0, self._jitter) for _ in range(2)]
        x = image.roll(shift, (2, 3)).requires_grad_()
        value = self.network((x - self._mean) / self._std)["layer"].square().mean()
        (gradient,) = torch.autograd.grad(value, x)
        gradient = smoothed(gradient.roll([-places for places in shift], (2, 3)))
        return gradient * (self._step_size / gradient.abs().mean()), value.detach()


def smoothed(gradient: Tensor) -> Tensor:
    """Over pools of 1, 2 and 4 pixels, each divided by its standard deviation."""
    total = gradient / gradient.std()
    for scale in (2, 4):
        pooled = functional.avg_pool2d(gradient, scale, ceil_mode=True)
        evened = functional.interpolate(pooled, gradient.shape[2:], mode="bilinear")
        total = total + evened / evened.std()
    return total / 3
