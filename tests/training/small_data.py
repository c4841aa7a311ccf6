# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a moment: three classes that anything can learn, in batches as `TrainingData` gives them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from blender_deepdream.training.training_data import WHOLE, Batch, Share

SIDE = 32


class SmallData:
    """Stripes down, stripes across, and none, in noise that is new in each batch."""

    classes = ("down", "across", "plain")
    fingerprint = "f" * 64

    def __init__(self, batch: int = 8, steps: int = 3) -> None:
        self.batch = batch
        self.steps = steps
        self.train_count = batch * steps
        self.validation_count = 12

    def batches(self, epoch: int, first: int = 0, share: Share = WHOLE) -> Iterator[Batch]:
        for number in range(first, self.steps):
            images, labels = pictures(self.batch, 1000 * epoch + number)
            yield Batch(images[share.of(self.batch)], labels[share.of(self.batch)])

    def validation(self, relit: bool = False) -> Iterator[Batch]:
        images, labels = pictures(self.validation_count, 99_999)
        yield Batch(images * 0.7 if relit else images, labels)


def pictures(count: int, seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    noise = torch.rand(count, 3, SIDE, SIDE, generator=generator)
    return Batch(torch.stack([_stripes(int(label)) for label in labels]) * 0.7 + noise * 0.3, labels)


def _stripes(label: int) -> Tensor:
    waves = torch.arange(SIDE) // 4 % 2 * 1.0
    patterns = (waves.expand(3, SIDE, SIDE), waves[:, None].expand(3, SIDE, SIDE), torch.full((3, SIDE, SIDE), 0.5))
    return patterns[label]
