# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of gradient ascent on one octave."""

from __future__ import annotations

import torch
from torch import Tensor

from ..protocol.settings import DreamSettings
from .brain import Brain
from .objectives import Objective
from .octaves import Size, reflect
from .smoothing import smooth, unit_deviation


def ascend(
    image: Tensor, mask: Tensor, brain: Brain, objective: Objective, settings: DreamSettings, shift: Size
) -> tuple[Tensor, float]:
    """By how much to change the image so that the objective grows, and the objective before that.

    image: 1x3xHxW, dream space. mask: 1x1xHxW in [0, 1], where the mean change shall be the settings' step size.
    shift: how far the network's grid of cells moves, in pixels; only the part below the grid's own size matters.
    """
    gradient, value = gradient_of(objective, brain, image, shift)
    return settings.step_size * unit_mean(smooth(gradient, settings.smoothing), mask), value


def gradient_of(objective: Objective, brain: Brain, image: Tensor, shift: Size) -> tuple[Tensor, float]:
    """How the objective grows with each value of the image (1x3xHxW), up to a factor, and its value.

    Every term's own gradient is brought to the same deviation before it is weighted, so that a weight is a share
    of the picture, however loud its layer is.
    """
    stride = brain.stride(objective.layers)
    top, left = (offset % stride for offset in shift)
    height, width = image.shape[-2:]
    padded = reflect(image, Size(_ceil(top + height, stride), _ceil(left + width, stride)), top, left)
    padded = padded.contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.enable_grad():
        measures = objective.measures(brain.activations(padded, objective.layers))
    total = torch.zeros_like(image)
    for index, (term, measure) in enumerate(zip(objective.terms, measures, strict=True)):
        (gradient,) = torch.autograd.grad(measure, padded, retain_graph=index + 1 < len(measures))
        total += term.weight * unit_deviation(gradient[..., top : top + height, left : left + width])
    value = sum(term.weight * measure.item() for term, measure in zip(objective.terms, measures, strict=True))
    return total, value


def unit_mean(gradient: Tensor, mask: Tensor) -> Tensor:
    """The gradient over its mean magnitude where the mask dreams; zeros stay zeros."""
    weight = mask.sum() * gradient.shape[1]
    mean = (gradient.abs() * mask).sum() / weight.clamp_min(1e-6)
    return gradient / mean.clamp_min(torch.finfo(gradient.dtype).tiny) if mean > 0 else torch.zeros_like(gradient)


def _ceil(length: int, stride: int) -> int:
    return -(-length // stride) * stride
