# SPDX-License-Identifier: GPL-3.0-or-later
"""The moving average of a network's weights, which is what becomes the brain: it is calmer than any of them.

Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992, in its exponential form.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from .trainable import Trainable

WARM_UP = 10
"""Steps: at first fewer are averaged than the recipe says, or the beginning would stay in it for long."""


class Average:
    """network: the averaged weights and statistics, in evaluation mode, never trained."""

    def __init__(self, trainable: Trainable, keep: float) -> None:
        self.network = copy.deepcopy(trainable).requires_grad_(False).eval()
        self._keep = keep

    @torch.no_grad()
    def add(self, trainable: Trainable, step: int) -> None:
        """Take in the weights after a step, which counts from 1."""
        keep = min(self._keep, (step + 1) / (step + WARM_UP))
        whole, now = state_of(self.network), state_of(trainable)
        torch._foreach_lerp_(list(whole.values()), [now[name] for name in whole], 1 - keep)


def state_of(trainable: Trainable) -> dict[str, Tensor]:
    """Weights and statistics by name, as they are, not copies. What only counts is left out."""
    return {name: tensor.detach() for name, tensor in trainable.state_dict().items() if tensor.is_floating_point()}
