# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from blender_deepdream.engine.mixture import blend, likeness, mixture
from blender_deepdream.protocol.layers import parse_layers
from blender_deepdream.protocol.settings import DreamSettings


def of(text: str, brain: str = "lite0") -> tuple[tuple[str, float], ...]:
    return mixture(DreamSettings().replace(brain=brain, layers=parse_layers(text)))


def test_a_mixture_is_one_of_shares():
    assert of("_blocks.4=3, squeezenet::fire9=-1") == (
        ("lite0 _blocks.4", 0.75),
        ("squeezenet squeezenet::fire9", -0.25),
    )
    assert of("a") == of("a=7")


@pytest.mark.parametrize(
    ("one", "other", "like"),
    [
        ("a, b", "b=2, a=2", 1.0),
        ("a=0.5, b=0.5", "a=0.4, b=0.6", 0.8),
        ("a", "b", 0.0),
        ("a", "a:1", 0.0),
        ("a", "a=1, b=1", 0.0),
    ],
)
def test_how_alike_two_mixtures_are(one, other, like):
    assert likeness(of(one), of(other)) == pytest.approx(like)


def test_another_brain_is_another_mixture():
    assert likeness(of(""), of("", "squeezenet")) == 0
    assert likeness(of("a"), of("a", "squeezenet")) == 0
    assert likeness(of(""), ()) == 1


def test_a_dream_is_of_what_it_kept_too():
    assert dict(blend(of("a"), of("b"), 0.75)) == {"lite0 a": 0.75, "lite0 b": 0.25}
    assert blend((), of("a"), 0.5) == of("a")


def test_what_was_faded_from_is_let_go_of_in_the_end():
    kept = of("a")
    assert dict(blend(kept, of("a=0.8, b=0.2"), 0.5)) == {"lite0 a": 0.9, "lite0 b": 0.1}
    for share in (0.8, 0.6, 0.4, 0.2, 0.0):
        now = of(f"a={share}, b={1 - share}")
        kept = blend(kept, now, likeness(kept, now))
    assert 0.1 < dict(kept)["lite0 a"] < 0.5
    frames = 0
    while kept != of("a=0, b"):
        kept, frames = blend(kept, of("a=0, b"), likeness(kept, of("a=0, b"))), frames + 1
    assert 3 < frames < 40


def test_what_stays_the_same_is_kept_to_the_bit():
    same = of("a=0.3, b=0.7")
    assert likeness(same, same) == 1
    assert blend(same, same, 1.0) == same
