# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of layers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.layers import (
    LayerChoice,
    LayerWeights,
    Octaves,
    check_layers,
    format_layers,
    parse_layers,
    read_choice,
)

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789._/", min_size=1, max_size=20).filter(lambda name: name != "class")
weights = st.floats(-1000, 1000).filter(lambda weight: abs(weight) > 1e-300)
layers = st.lists(st.tuples(names, weights), max_size=8, unique_by=lambda layer: layer[0]).map(tuple)


@given(layers)
def test_layers_as_text_and_back(value: LayerWeights) -> None:
    assert parse_layers(format_layers(value)) == value
    assert check_layers(value) == value


@pytest.mark.parametrize(
    "text", ["a=", "a=b", "=1", "a=1,a=2", "a=0", "a=1001", "a=nan", ",".join(map(str, range(33)))]
)
def test_layers_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_layers(text)


def test_layers_as_people_type_them() -> None:
    assert parse_layers(" _blocks.4 = 2 , _blocks.9,") == (("_blocks.4", 2.0), ("_blocks.9", 1.0))
    assert format_layers((("a", 2.0), ("b", 1.0), ("c", 0.1))) == "a=2, b, c=0.1"
    assert parse_layers("") == ()


def test_weights_fade_between_two_numbers() -> None:
    text = "_blocks.4=1..0, squeezenet::fire9=0..2, _blocks.9=0.5"
    assert parse_layers(text, 0.25) == (("_blocks.4", 0.75), ("squeezenet::fire9", 0.5), ("_blocks.9", 0.5))
    assert parse_layers(text, 0) == (("_blocks.4", 1.0), ("_blocks.9", 0.5)), "what has faded away is left out"
    assert parse_layers(text, 1) == (("squeezenet::fire9", 2.0), ("_blocks.9", 0.5))


@pytest.mark.parametrize(("text", "fade"), [("a=1..0", None), ("a=1..", 0.5), ("a=..1", 0.5), ("a=1..b", 0.5)])
def test_weights_that_cannot_fade(text: str, fade: float | None) -> None:
    with pytest.raises(SettingsError, match=r"\.\."):
        parse_layers(text, fade)


octaves = st.tuples(st.integers(1, 16), st.integers(1, 16)).map(lambda ends: Octaves(*sorted(ends)))
factors = st.floats(-999, 999).map(lambda factor: round(factor, 6)).filter(bool)
components = st.dictionaries(st.integers(0, 999_999), factors, max_size=5).map(
    lambda found: tuple(sorted(found.items()))
)
choices = st.builds(LayerChoice, names, st.just("") | names, components, st.just(()), octaves)
classes = st.lists(st.text("abc 'XYZ-09", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=4, unique=True)
class_choices = st.builds(
    LayerChoice,
    st.just("class"),
    st.just("") | names,
    st.just(()),
    classes.map(lambda names: tuple(sorted(names))),
    octaves,
)


@given(choices | class_choices, weights)
def test_a_choice_as_text_and_back(choice: LayerChoice, weight: float) -> None:
    assert read_choice(str(choice)) == choice
    value = ((str(choice), weight),)
    assert parse_layers(format_layers(value)) == value


@pytest.mark.parametrize(
    ("typed", "choice"),
    [
        ("_blocks.9", LayerChoice("_blocks.9")),
        ("squeezenet::fire9", LayerChoice("fire9", "squeezenet")),
        ("_blocks.9:57+12+012", LayerChoice("_blocks.9", channels=((12, 1.0), (57, 1.0)))),
        ("_blocks.9:12*1+57*-0.5@1-2", LayerChoice("_blocks.9", "", ((12, 1.0), (57, -0.5)), (), Octaves(1, 2))),
        ("class:tench+peacock+tench@3", LayerChoice("class", classes=("peacock", "tench"), octaves=Octaves(3, 3))),
        ("sq::class:84", LayerChoice("class", "sq", classes=("84",))),
        ("inception_4c/output@3-", LayerChoice("inception_4c/output", octaves=Octaves(3, 16))),
        ("a:x", LayerChoice("a:x")),
        ("a:1234567", LayerChoice("a:1234567")),
    ],
)
def test_choices_as_people_type_them(typed: str, choice: LayerChoice) -> None:
    assert read_choice(typed) == choice
    assert read_choice(str(choice)) == choice


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a@", "octaves"),
        ("a@0", "from 1"),
        ("a@3-2", "octaves"),
        ("a@17", "to 16"),
        ("a@x", "octaves"),
        ("@2", "name"),
        ("::a", "name"),
        ("sq::", "name"),
        ("class", "no class"),
        ("class:", "no class"),
        ("class:+", "no class"),
        ("a:1*2+1*3", "twice"),
        ("a:1*0", "nowhere"),
    ],
)
def test_choices_that_are_none_are_said(typed: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_choice(typed)


def test_the_same_choice_is_not_made_twice() -> None:
    assert parse_layers("a:57+12, a:3=-1, a@2, a@3") == (("a:12+57", 1.0), ("a:3", -1.0), ("a@2", 1.0), ("a@3", 1.0))
    with pytest.raises(SettingsError, match="twice"):
        parse_layers("a:1+2,a:2+1")
