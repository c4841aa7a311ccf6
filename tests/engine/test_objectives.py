# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from blender_deepdream.engine.objectives import l2, of_layers
from blender_deepdream.protocol.errors import SettingsError


def test_objectives_add_and_scale():
    mixture = 0.7 * l2("a") + l2("b") * 0.3
    assert [(term.layer, term.weight) for term in mixture.terms] == [("a", 0.7), ("b", 0.3)]
    assert mixture.layers == ("a", "b")


def test_a_layer_named_twice_is_looked_at_once():
    assert (l2("a") + l2("b") + l2("a")).layers == ("a", "b")


def test_l2_is_the_mean_square():
    (value,) = l2("a").measures({"a": torch.tensor([[[[1.0, 2.0], [3.0, 0.0]]]])})
    assert value == 14 / 4


def test_weights_become_shares():
    mixture = of_layers((("a", 3.0), ("b", -1.0)))
    assert [term.weight for term in mixture.terms] == [0.75, -0.25]


def test_nothing_but_zeros_is_no_objective():
    with pytest.raises(SettingsError, match="weight"):
        of_layers((("a", 0.0),))
