# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast what learns: the rate's way down, and its share for each of a network's weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from ..protocol.recipe import HEAD_ONLY, Recipe
from .trainable import Trainable

POLY_POWER = 0.5
RAMP = 1 / 3
"""Share of a training over which clarity grows."""


def rate_at(schedule: str, progress: float) -> float:
    """The share of the first rate that is left, 0 to 1, after a share of the training, 0 to 1.

    poly and step are those of the founding article; cosine: Loshchilov and Hutter, "SGDR", 2017.
    """
    if schedule == "poly":
        return float((1 - progress) ** POLY_POWER)
    if schedule == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    return 0.1 ** int(3 * progress)


def clarity_at(recipe: Recipe, progress: float) -> float:
    """The clarity of a moment: it grows from nothing over the first part of the training, 0 to 1.

    Classes that are new to the head must be told apart at all before they can be told apart perturbed (Cai et al.,
    "Curriculum Adversarial Training", 2018). None where the head alone learns: what the layers dream does not change.
    """
    return 0.0 if recipe.trains == HEAD_ONLY else recipe.clarity * min(1.0, progress / RAMP)


def optimizer_of(trainable: Trainable, recipe: Recipe) -> torch.optim.SGD:
    """SGD with Nesterov's momentum over all that learns. Each group knows its `share` of the learning rate."""
    groups = list(_groups(trainable, recipe))
    return torch.optim.SGD(groups, recipe.learning_rate, recipe.momentum, nesterov=recipe.momentum > 0)


def set_rate(optimizer: torch.optim.SGD, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def _groups(trainable: Trainable, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """The head learns at full rate. What has one value per channel, biases and norms, does not decay."""
    for in_head in (True, False):
        share = 1.0 if in_head or recipe.scratch else recipe.lower_rate
        for vector in (False, True):
            weights = [
                weight
                for name, weight in trainable.named_parameters()
                if weight.requires_grad and trainable.is_head(name) == in_head and (weight.ndim < 2) == vector
            ]
            if weights:
                yield {"params": weights, "share": share, "weight_decay": 0.0 if vector else recipe.weight_decay}
