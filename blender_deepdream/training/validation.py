# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a network is on pictures that it has not learned from: as they are, and perturbed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .clarity import perturbed, radius_of, random_start
from .history import Counts
from .training_data import Batch

ROBUST_CLARITY = 1.0
"""The clarity whose perturbations robust accuracy is measured under, whatever the recipe's: so brains compare."""

Logits = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Attack:
    """How hard robust accuracy is measured. most: pictures that are perturbed, spread over all; None: all of them."""

    steps: int
    most: int | None = None


IN_PASSING = Attack(3, 64)
"""After each epoch: at a tenth of its time for a few hundred pictures."""
THOROUGH = Attack(10)


@dataclass(frozen=True, slots=True)
class Measured:
    """loss: mean cross-entropy. accuracy: share of right answers."""

    loss: float
    accuracy: float
    confusion: Counts

    @property
    def pictures(self) -> int:
        return sum(map(sum, self.confusion))


def validate(logits: Logits, batches: Iterable[Batch], classes: int) -> Generator[int, None, Measured]:
    """The network over all batches: yields after each how many pictures were seen. logits: in evaluation mode."""
    confusion, loss = torch.zeros(classes, classes, dtype=torch.int64), 0.0
    for images, labels in batches:
        with torch.no_grad():  # not around the yield: the caller may learn meanwhile
            answers = logits(images).float()
            loss += functional.cross_entropy(answers, labels, reduction="sum").item()
        pairs = (labels * classes + answers.argmax(1)).cpu()
        confusion += torch.bincount(pairs, minlength=classes**2).view(classes, classes)
        yield int(confusion.sum())
    whole = max(int(confusion.sum()), 1)
    rows = tuple(tuple(row) for row in confusion.tolist())
    return Measured(loss / whole, int(confusion.trace()) / whole, rows)


def robust_accuracy(
    logits: Logits, batches: Iterable[Batch], attack: Attack, pictures: int, seed: int
) -> Generator[int, None, float]:
    """The share of right answers against perturbations of ROBUST_CLARITY: yields after each batch how many pictures
    were seen. pictures: in all batches together."""
    generator = torch.Generator().manual_seed(seed)
    every = 1 if attack.most is None else max(1, -(-pictures // attack.most))
    right = seen = 0
    for images, labels in _each(every, batches):
        radius = radius_of(ROBUST_CLARITY, images.shape[-1])
        start = random_start(images.shape, radius, generator).to(images.device)
        hard = perturbed(logits, images, labels, radius, attack.steps, start)
        with torch.no_grad():
            right += int(logits(hard).argmax(1).eq(labels).sum())
        seen += len(labels)
        yield seen
    return right / max(seen, 1)


def _each(every: int, batches: Iterable[Batch]) -> Iterator[Batch]:
    """Every so manieth picture."""
    begin = 0
    for images, labels in batches:
        chosen = slice(begin, None, every)
        begin = (begin - len(labels)) % every
        if len(labels[chosen]):
            yield Batch(images[chosen], labels[chosen])
