# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import Tensor

from blender_deepdream.engine.steps import finish
from blender_deepdream.training.training_data import Batch
from blender_deepdream.training.validation import Attack, robust_accuracy, validate


def brightness(images: Tensor) -> Tensor:
    """Tells dark from bright pictures, with a little room between."""
    mean = images.mean((1, 2, 3))
    return torch.stack([0.5 - mean, mean - 0.5], dim=1) * 100


def batches(count: int = 10, apart: float = 0.1) -> list[Batch]:
    labels = torch.arange(count) % 2
    images = torch.full((count, 3, 16, 16), 0.5) + (labels * 2.0 - 1)[:, None, None, None] * apart
    return [Batch(images[:4], labels[:4]), Batch(images[4:], labels[4:])]


def test_what_is_taken_for_what_is_counted():
    wrong = [Batch(images, torch.zeros_like(labels)) for images, labels in batches()]
    found = finish(validate(brightness, wrong, 2))
    assert found.confusion == ((5, 5), (0, 0))
    assert (found.accuracy, found.pictures) == (0.5, 10)
    assert finish(validate(brightness, batches(), 2)).loss == pytest.approx(0, abs=1e-6)


def test_nearly_right_is_not_robust():
    # a radius of 1/8 can move the mean of 16x16x3 values by 1/8 / sqrt(768)
    far, near = (finish(robust_accuracy(brightness, batches(apart=apart), Attack(3), 10, 0)) for apart in (0.1, 0.003))
    assert (far, near) == (1.0, 0.0)


def test_few_pictures_are_spread_over_all():
    seen: list[int] = []

    def counting(images: Tensor) -> Tensor:
        seen.append(len(images))
        return brightness(images)

    assert finish(robust_accuracy(counting, batches(10), Attack(1, 4), 10, 0)) == 1.0
    assert seen == [2, 2, 2, 2]  # of four every third, of six from the third on; each to attack and to answer


def test_each_batch_is_told_and_gradients_stay_on():
    for steps in (validate(brightness, batches(), 2), robust_accuracy(brightness, batches(), Attack(1), 10, 0)):
        told = []
        for seen in steps:
            told.append(seen)
            assert torch.is_grad_enabled()
        assert told == [4, 10]
