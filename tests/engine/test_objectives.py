# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from blender_deepdream.engine import objectives
from blender_deepdream.engine.objectives import Objective, Term, direction, guide_cosine, guide_dot, l2, mean, nearest
from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.layers import Octaves


def test_objectives_add_and_scale():
    mixture = 0.7 * l2("a") + l2("b") * 0.3
    assert [(term.layer, term.weight) for term in mixture.terms] == [("a", 0.7), ("b", 0.3)]
    assert mixture.layers == {"": ("a", "b")}


def test_a_layer_named_twice_is_looked_at_once():
    assert (l2("a") + l2("b") + l2("a")).layers == {"": ("a", "b")}


def test_l2_is_the_mean_square():
    (value,) = l2("a").measures("", {"a": torch.tensor([[[[1.0, 2.0], [3.0, 0.0]]]])})
    assert value == pytest.approx(14 / 4)


def test_weights_become_shares():
    mixture = (3 * l2("a") + -1 * l2("b")).shares()
    assert [term.weight for term in mixture.terms] == [0.75, -0.25]


def test_nothing_but_zeros_is_no_objective():
    with pytest.raises(SettingsError, match="weight"):
        (0 * l2("a")).shares()


def value_of(objective: Objective, activations: torch.Tensor) -> float:
    (value,) = objective.measures("", {"a": activations})
    return value.item()


def test_channels_are_measured_alone():
    activations = torch.tensor([[[[1.0]], [[2.0]], [[4.0]]]])
    assert value_of(mean("a"), activations) == pytest.approx(7 / 3)
    assert value_of(mean("a", [2]), activations) == 4
    assert value_of(l2("a", [0, 2]), activations) == 8.5


def activations_of(*vectors: tuple[float, ...]) -> torch.Tensor:
    """1xCx1xN activations with these vectors at their positions."""
    return torch.tensor(vectors).T[None, :, None]


def test_a_guide_is_matched_by_dot_product_or_direction():
    guide = activations_of((3.0, 3.0), (0.0, 1.0))
    seen = activations_of((0.0, 2.0)).requires_grad_()
    (dot,) = guide_dot("a", guide).measures("", {"a": seen})
    (slope,) = torch.autograd.grad(dot, seen)
    assert dot.item() == 6
    assert slope.flatten().tolist() == [3, 3], "google/deepdream: the gradient is the best match itself"
    (cosine,) = guide_cosine("a", guide).measures("", {"a": seen})
    assert cosine.item() == pytest.approx(2), "the closest is (0, 1), with cosine 1"
    assert value_of(guide_dot("a", guide, [0]), activations_of((2.0, 9.0))) == 6


def test_a_direction_is_a_dot_product_times_a_power_of_the_cosine():
    seen = activations_of((3.0, 4.0))
    assert value_of(direction("a", [(0, 2.0)], 0), seen) == pytest.approx(3)
    assert value_of(direction("a", [(0, 2.0)], 1), seen) == pytest.approx(3 * 0.6)
    assert value_of(direction("a", [(0, 1.0)], 2), seen) == pytest.approx(3 * 0.36)
    assert value_of(direction("a", [(0, 3.0), (1, 4.0)], 4), seen) == pytest.approx(5)
    assert value_of(direction("a", [(0, -1.0)], 1), seen) == pytest.approx(-3 * 0.1), "the opposite still has a slope"


def test_octaves_have_their_own_shares():
    early, late = Objective((Term("a", 1.0, torch.mean, octaves=Octaves(1, 2)),)), mean("b")
    mixture = (early + 3 * late).shares()
    assert [(term.layer, term.weight) for term in mixture.in_octave(2).terms] == [("a", 0.25), ("b", 0.75)]
    assert [(term.layer, term.weight) for term in mixture.in_octave(3).terms] == [("b", 1)]
    assert early.in_octave(3).terms == ()


def test_layers_of_several_brains_are_kept_apart():
    other = Objective((Term("a", 1.0, torch.mean, brain="other"),))
    mixture = l2("a") + other + l2("b")
    assert mixture.layers == {"": ("a", "b"), "other": ("a",)}
    (value,) = mixture.measures("other", {"a": torch.full((1, 1, 2, 2), 3.0)})
    assert value == 3


def test_matching_is_the_same_however_many_at_once(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    seen, guide = torch.randn(8, 50, generator=generator), torch.randn(8, 30, generator=generator)
    expected = guide[:, (seen.T @ guide).argmax(dim=1)]
    for pairs in (1, 100, 10**6):
        monkeypatch.setattr(objectives, "MATCHES_AT_ONCE", pairs)
        assert torch.equal(nearest(seen, guide), expected)


def test_nothing_seen_and_nothing_in_the_guide_has_no_slope_and_no_nan():
    for guide in (torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)):
        seen = torch.zeros(1, 4, 3, 3, requires_grad=True)
        (value,) = guide_cosine("a", guide).measures("", {"a": seen})
        (slope,) = torch.autograd.grad(value, seen)
        assert slope.isfinite().all()
