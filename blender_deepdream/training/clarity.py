# SPDX-License-Identifier: GPL-3.0-or-later
"""Clarity: a brain that learns against small perturbations of its pictures dreams things, not texture.

Projected gradient ascent in an L2 ball around each picture: Madry et al., "Towards Deep Learning Models Resistant to
Adversarial Attacks", 2018. Why dreams are clearer: Engstrom et al., "Adversarial Robustness as a Prior for Learned
Representations", 2019. Few steps from a random start do: Wong et al., "Fast is better than free", 2020.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

NOMINAL_SIDE = 128
"""Pixels: of pictures for which a clarity of 1 is a radius of 1."""
REACH = 2.0
"""How far an attack's steps go together, in radii: those that leave the ball are put back onto it."""
LONGEST = 0.75
"""The longest step, in radii, where there are several: longer ones overshoot what they climb. Found by trial."""


def radius_of(clarity: float, side: int) -> float:
    """The length of the perturbations of a picture of side x side pixels, L2 in dream space, all channels together.

    It grows with the side as a picture's own length does: each pixel is perturbed as strongly.
    """
    return clarity * side / NOMINAL_SIDE


def random_start(shape: torch.Size, radius: float, generator: torch.Generator) -> Tensor:
    """Perturbations of random directions and lengths within the ball. shape: Nx3xHxW; on the generator's device."""
    noise = torch.randn(shape, generator=generator, device=generator.device)
    lengths = torch.rand(len(noise), generator=generator, device=generator.device)
    return _with_length(noise, radius * lengths)


def perturbed(
    logits: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, radius: float, steps: int, start: Tensor
) -> Tensor:
    """The images, Nx3xHxW in dream space, changed within the ball so that their labels (N) are hard to tell.

    logits: the network, in evaluation mode. start: of the perturbations. The result lies in [0, 1], without a gradient.
    """
    stride = radius if steps == 1 else radius * min(LONGEST, REACH / steps)
    change = start
    for _ in range(steps):
        seen = (images + change).clamp_(0, 1).requires_grad_()
        with torch.enable_grad():
            loss = functional.cross_entropy(logits(seen), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, seen)
        change = _within(change + _with_length(gradient.float(), stride), radius)
    return (images + change).clamp_(0, 1)


def _with_length(change: Tensor, length: Tensor | float) -> Tensor:
    """Each picture's change brought to a length; zeros stay zeros."""
    lengths = torch.as_tensor(length, device=change.device).expand(len(change))
    return change * (lengths / _lengths(change).clamp_min(1e-12))[:, None, None, None]


def _within(change: Tensor, radius: float) -> Tensor:
    """Each picture's change, no longer than the radius."""
    return change * (radius / _lengths(change).clamp_min(1e-12)).clamp_max(1)[:, None, None, None]


def _lengths(change: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(change, dim=(1, 2, 3))
    return lengths
