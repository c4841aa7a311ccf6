# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from blender_deepdream.engine.zoo import brain_contents
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.schedule import clarity_at, optimizer_of, rate_at, set_rate
from blender_deepdream.training.trainable import trainable


@pytest.mark.parametrize(("schedule", "rates"), [
    ("poly", [1, 0.866, 0.707, 0.5, 0]),
    ("cosine", [1, 0.854, 0.5, 0.146, 0]),
    ("step", [1, 1, 0.1, 0.01, 0.001]),
])  # fmt: skip
def test_rates_fall(schedule, rates):
    assert [rate_at(schedule, progress) for progress in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx(rates, abs=1e-3)


def test_each_weight_learns_at_its_own_rate():
    made = trainable(brain_contents("lite0"), ("a", "b"), Recipe(lower_rate=0.25, weight_decay=0.01))
    optimizer = optimizer_of(made, Recipe(lower_rate=0.25, weight_decay=0.01))
    set_rate(optimizer, 0.4)
    found = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    seen = {
        name: (found[id(weight)]["lr"], found[id(weight)]["weight_decay"]) for name, weight in made.named_parameters()
    }
    assert seen["network._fc.weight"] == (0.4, 0.01)
    assert seen["network._fc.bias"] == (0.4, 0)
    assert seen["network._conv_stem.weight"] == (0.1, 0.01)
    assert seen["network._bn0.weight"] == (0.1, 0)


def test_clarity_grows():
    recipe = Recipe(clarity=2)
    assert [clarity_at(recipe, progress) for progress in (0, 1 / 6, 1 / 3, 1)] == pytest.approx([0, 1, 2, 2])
    assert clarity_at(recipe.replace(trains="head"), 1) == 0
