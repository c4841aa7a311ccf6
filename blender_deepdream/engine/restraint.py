# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds a dream back: a calm surface, the pull of the source, the source's colours."""

from __future__ import annotations

import torch
from torch import Tensor

from ..protocol.settings import DreamSettings
from .octaves import Wrap

EDGE = 0.1
"""Contrast between neighbours above which total variation takes a step for an edge, and pulls no harder."""

LEAST_VARIANCE = 1e-3
"""Of a picture's colours: without it, a source of one colour would leave no room for any dream."""

COLOR_CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""A root of the covariance of ImageNet's colours, red, green and blue by row: lucid's
(https://github.com/tensorflow/lucid/blob/master/lucid/optvis/param/color.py)."""


def restrain(image: Tensor, source: Tensor, settings: DreamSettings, wrap: Wrap) -> Tensor:
    """The image after what the settings hold against a step. image, source: 1x3xHxW, dream space."""
    if settings.total_variation:
        # of the detail, not of the image: the source keeps its own edges and grain
        image = image + calmed(image - source, settings.step_size * settings.total_variation, wrap)
    return torch.lerp(image, source, settings.pull) if settings.pull else image


def calmed(image: Tensor, amount: float, wrap: Wrap) -> Tensor:
    """The change of a 1xCxHxW image by one step of `amount` down the slope of its total variation.

    Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", 1992, with a rounded corner so
    that a flat surface is at rest.
    """
    change = torch.zeros_like(image)
    # a step against a slope steeper than the corner allows would overshoot and never come to rest
    corner = max(EDGE, 4 * amount)
    for axis, wraps in zip((-2, -1), wrap, strict=True):
        slope = image.roll(-1, axis) - image
        if not wraps:
            slope.narrow(axis, -1, 1).zero_()
        force = slope.div_((slope.square() + corner**2).sqrt_())
        change.add_(force, alpha=amount).sub_(force.roll(1, axis), alpha=amount)
    return change


def as_lightness(gradient: Tensor) -> Tensor:
    """The part of a gradient (1x3xHxW) that makes all three colours lighter or darker alike."""
    return gradient.mean(dim=1, keepdim=True).expand_as(gradient).contiguous()


def decorrelated(gradient: Tensor) -> Tensor:
    """The gradient (1x3xHxW) in the colours of photographs: as if it moved their principal components.

    Olah, Mordvintsev and Schubert, "Feature Visualization", 2017: where x = C z, a step along dz is C C^T dx.
    """
    matrix = gradient.new_tensor(COLOR_CORRELATION)
    return torch.einsum("dc,nchw->ndhw", matrix @ matrix.T, gradient)


def with_colors_of(image: Tensor, source: Tensor, mask: Tensor) -> Tensor:
    """The image with the mean and covariance of the source's colours where the mask dreams, [0, 1].

    image, source: 1x3xHxW; mask: 1x1xHxW. The linear map that moves colours least: Pitié and Kokaram, "The linear
    Monge-Kantorovitch linear colour mapping for example-based colour transfer", 2007.
    """
    if not mask.any():
        return image
    (mean, spread), (wanted_mean, wanted_spread) = (_statistics(picture, mask) for picture in (image, source))
    root = _root(spread)
    inverse = torch.linalg.inv(root)
    change = inverse @ _root(root @ wanted_spread @ root) @ inverse
    offset = wanted_mean - change @ mean
    moved = torch.einsum("dc,nchw->ndhw", change.to(image), image)
    return moved.add_(offset.to(image)[:, None, None]).clamp_(0, 1)


def _statistics(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the colours, 3 and 3x3, in double precision on the CPU."""
    weight, colors = mask[0, 0].flatten(), image[0].flatten(1)
    weight = weight / weight.sum()
    mean = colors @ weight
    centred = (colors - mean[:, None]).mul_(weight.sqrt())
    covariance = (centred @ centred.T).cpu().double()
    return mean.cpu().double(), covariance + LEAST_VARIANCE * torch.eye(len(mean)).double()


def _root(matrix: Tensor) -> Tensor:
    """The positive square root of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    return root
