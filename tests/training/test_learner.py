# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import Tensor

from blender_deepdream.engine.precision import automatic
from blender_deepdream.engine.zoo import brain_contents
from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.distributed import ALONE
from blender_deepdream.training.learner import Learner, Moment, precision_of
from blender_deepdream.training.trainable import trainable
from blender_deepdream.training.training_data import Batch

from .small_data import pictures
from .small_training import RECIPE, small_base

CLASSES = ("down", "across", "plain")


def learner(recipe: Recipe = RECIPE) -> Learner:
    return Learner(trainable(small_base(), CLASSES, recipe), recipe, ALONE)


def test_a_batch_in_parts_is_the_same_batch():
    one, parts = learner(RECIPE), learner(RECIPE.replace(accumulate=4))
    told = [each.learn(pictures(8, 1), Moment(0, 0, 0.1, 0.5)) for each in (one, parts)]
    assert told[0] == pytest.approx(told[1], rel=1e-5)
    for name, tensor in one.tensors().items():
        torch.testing.assert_close(parts.tensors()[name], tensor, rtol=1e-4, atol=1e-6)


def test_parts_are_even(monkeypatch):
    each = learner(RECIPE.replace(accumulate=3))
    work_on, seen = each._work_on, []

    def counting(part: Batch, start: Tensor | None, radius: float, whole: float) -> Tensor:
        seen.append(len(part.labels))
        return work_on(part, start, radius, whole)

    monkeypatch.setattr(each, "_work_on", counting)
    each.learn(pictures(7, 1), Moment(0, 0, 0.1, 0.5))
    each.learn(pictures(2, 1), Moment(0, 1, 0.1, 0.5))
    assert seen == [3, 2, 2, 1, 1]


def test_weights_that_are_no_numbers_are_seen():
    each = learner()
    assert each.is_finite
    with torch.no_grad():
        next(each.trainable.parameters())[0].fill_(torch.inf)
    assert not each.is_finite


def test_moments_have_random_numbers_of_their_own():
    seeds = {Moment(epoch, number, 0.1, 1).seed(of) for epoch in range(3) for number in range(3) for of in range(3)}
    assert len(seeds) == 27


def test_it_goes_on_from_what_it_was():
    first, second = learner(), learner(RECIPE.replace(seed=5))
    first.learn(pictures(8, 1), Moment(0, 0, 0.1, 0.5))
    second.restore(1, {name: tensor.clone() for name, tensor in first.tensors().items()})
    for each in (first, second):
        each.learn(pictures(8, 2), Moment(0, 1, 0.1, 0))
    assert first.step == second.step == 2
    assert all(torch.equal(tensor, second.tensors()[name]) for name, tensor in first.tensors().items())


def test_half_precision_is_chosen_where_it_is_quicker():
    lite0 = trainable(brain_contents("lite0"), CLASSES, Recipe())
    assert precision_of(Recipe(), lite0) == automatic(torch.device("cpu"))
    assert precision_of(Recipe(), trainable(small_base(), CLASSES, RECIPE)) == "float32"
    assert precision_of(Recipe(precision="float32"), lite0) == "float32"
    with pytest.raises(SettingsError, match="float16 does not work"):
        precision_of(Recipe(precision="float16"), lite0)
