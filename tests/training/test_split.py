# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from blender_deepdream.training.split import Sampling, split

UNEVEN = np.repeat([0, 1, 2], [100, 30, 2])
HASHES = [f"{number:064}" for number in range(len(UNEVEN))]


def test_every_class_is_in_both_parts_in_the_same_share():
    train, validation = split(UNEVEN, HASHES, 0.1, 0)
    assert sorted([*train, *validation]) == list(range(132))
    assert np.bincount(UNEVEN[validation]).tolist() == [10, 3, 1]


def test_the_seed_decides():
    assert np.array_equal(split(UNEVEN, HASHES, 0.1, 5).validation, split(UNEVEN, HASHES, 0.1, 5).validation)
    assert not np.array_equal(split(UNEVEN, HASHES, 0.1, 5).validation, split(UNEVEN, HASHES, 0.1, 6).validation)


def test_one_more_picture_hardly_moves_the_others():
    before = split(UNEVEN, HASHES, 0.2, 0)
    after = split(np.append(UNEVEN, 0), [*HASHES, "f" * 64], 0.2, 0)
    assert len(set(before.validation) - set(after.validation)) <= 1


def test_balanced_classes_take_turns():
    sampling = Sampling(UNEVEN, np.arange(132), 12, balance=True, seed=0)
    assert sampling.steps == 11
    shown = sampling.epoch(0)
    assert shown.shape == (11, 12)
    assert np.bincount(UNEVEN[shown.ravel()]).tolist() == [44, 44, 44]


def test_unbalanced_every_picture_comes_once_before_any_comes_again():
    sampling = Sampling(UNEVEN, np.arange(132), 11, balance=False, seed=0)
    for number in range(3):
        assert sorted(sampling.epoch(number).ravel()) == list(range(132))


@pytest.mark.parametrize("balance", [True, False])
def test_no_picture_is_forgotten_over_epochs(balance: bool):
    sampling = Sampling(UNEVEN, np.arange(132), 50, balance=balance, seed=0)
    counts = np.bincount(np.concatenate([sampling.epoch(number).ravel() for number in range(12)]), minlength=132)
    for label in range(3):
        of_class = counts[label == UNEVEN]
        assert of_class.min() > 0
        assert of_class.max() - of_class.min() <= 1


def test_epochs_are_shuffled_and_come_again():
    sampling = Sampling(UNEVEN, np.arange(132), 12, balance=True, seed=3)
    assert np.array_equal(sampling.epoch(7), sampling.epoch(7))
    assert not np.array_equal(sampling.epoch(7), sampling.epoch(8))


def test_fewer_pictures_than_a_batch_still_fill_one():
    sampling = Sampling(np.array([0, 0, 1, 1]), np.arange(4), 32, balance=True, seed=0)
    assert sampling.steps == 1
    assert np.bincount(sampling.epoch(0).ravel()).tolist() == [8, 8, 8, 8]
