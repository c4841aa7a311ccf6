# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from blender_deepdream.engine.steps import finish
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.training_data import Batch, Share, TrainingData, open_training_data

QUICK = Recipe().replace(side=32, batch=6)


@pytest.fixture
def data(pictures: Path, caches: Path) -> TrainingData:
    return opened(pictures, caches)


def opened(pictures: Path, caches: Path, **changes: Any) -> TrainingData:
    return finish(open_training_data(pictures, QUICK.replace(**changes), torch.device("cpu"), caches))


def same(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)
        for one, other in zip(first, second, strict=True)
    )


def test_a_folder_of_classes_comes_in_batches(data: TrainingData):
    assert data.classes == ("moss", "rust", "sky")
    assert (data.train_count, data.validation_count) == (21, 4)
    batches = list(data.batches(0))
    assert len(batches) == data.steps == 4
    for images, labels in batches:
        assert images.shape == (6, 3, 32, 32)
        assert images.dtype == torch.float32
        assert 0 <= images.min() <= images.max() <= 1
        assert labels.dtype == torch.int64


def test_labels_belong_to_their_images(pictures: Path, caches: Path):
    data = opened(pictures, caches, photometric=False)
    for images, labels in [*data.batches(0), *data.validation()]:
        assert torch.equal(images.mean((2, 3)).argmax(1), labels)


def test_an_epoch_is_the_same_again_and_another_is_not(data: TrainingData):
    assert same(list(data.batches(3)), list(data.batches(3)))
    assert not same(list(data.batches(3)), list(data.batches(4)))


def test_an_epoch_can_begin_at_any_batch(data: TrainingData):
    assert same(list(data.batches(1))[2:], list(data.batches(1, first=2)))


@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_the_very_batch_of_one(data: TrainingData, world: int):
    shares = [list(data.batches(0, share=Share(rank, world))) for rank in range(world)]
    together = [Batch(*map(torch.cat, zip(*parts, strict=True))) for parts in zip(*shares, strict=True)]
    assert same(together, list(data.batches(0)))


def test_validation_shows_each_picture_once_and_always_the_same(data: TrainingData):
    batches = list(data.validation())
    assert sum(len(batch.labels) for batch in batches) == data.validation_count
    assert same(batches, list(data.validation()))


def test_relit_validation_differs_in_light_alone(data: TrainingData):
    plain, relit = next(data.validation()), next(data.validation(relit=True))
    assert torch.equal(plain.labels, relit.labels)
    assert not torch.allclose(plain.images.mean((1, 2, 3)), relit.images.mean((1, 2, 3)), atol=0.01)
    # still the same picture: its light and dark lie where they lay
    for one, other in zip(plain.images.mean(1), relit.images.mean(1), strict=True):
        assert np.corrcoef(one.flatten(), other.flatten())[0, 1] > 0.8


def test_the_fingerprint_tells_what_decides_the_batches(pictures: Path, caches: Path):
    data = opened(pictures, caches)
    assert data.fingerprint == opened(pictures, caches, learning_rate=0.5).fingerprint
    assert data.fingerprint != opened(pictures, caches, seed=1).fingerprint
    assert data.fingerprint != opened(pictures, caches, batch=5).fingerprint
