# SPDX-License-Identifier: GPL-3.0-or-later
"""Every knob, and the settings they make."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.layers import LayerWeights
from blender_deepdream.protocol.settings import (
    KNOBS,
    DreamSettings,
    Knob,
    check_guide,
    parse_setting,
)

NUMBERS = [knob for knob in KNOBS.values() if knob.kind in ("int", "float")]

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789._/", min_size=1, max_size=20).filter(lambda name: name != "class")
weights = st.floats(-1000, 1000).filter(lambda weight: abs(weight) > 1e-300)
layers = st.lists(st.tuples(names, weights), max_size=8, unique_by=lambda layer: layer[0]).map(tuple)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("knob", NUMBERS, ids=lambda knob: knob.name)
def test_ranges_hold_each_other(knob: Knob) -> None:
    assert knob.hard[0] <= knob.soft[0] <= knob.default <= knob.soft[1] <= knob.hard[1]
    assert knob.label
    assert knob.help
    assert not knob.help.endswith(".")
    assert knob.check(knob.default) == knob.parse(str(knob.default)) == knob.default
    for bound in knob.hard:
        assert knob.check(bound) == knob.parse(repr(bound)) == bound
    for beyond in (knob.hard[0] - 1, knob.hard[1] + 1, float("nan"), float("inf"), -float("inf"), 10**400):
        with pytest.raises(SettingsError, match=knob.name):
            knob.check(beyond)
    no_numbers: list[object] = [None, True, "1", [1], {}]
    for value in no_numbers:
        with pytest.raises(SettingsError, match="number"):
            knob.check(value)
    for text in ("", "many", "nan", "1e999"):
        with pytest.raises(SettingsError):
            knob.parse(text)


@pytest.mark.parametrize("knob", [knob for knob in NUMBERS if knob.kind == "int"], ids=lambda knob: knob.name)
def test_whole_numbers(knob: Knob) -> None:
    assert type(knob.check(float(knob.default))) is int
    with pytest.raises(SettingsError, match="whole"):
        knob.check(knob.hard[0] + 0.5)
    with pytest.raises(SettingsError, match="whole"):
        knob.parse(str(knob.hard[0] + 0.5))


@pytest.mark.parametrize("knob", [knob for knob in KNOBS.values() if knob.kind == "choice"], ids=lambda knob: knob.name)
def test_choices(knob: Knob) -> None:
    assert knob.default == knob.choices[0]
    assert len(set(knob.choices)) == len(knob.choices)
    for choice in knob.choices:
        assert knob.check(choice) == knob.parse(choice) == choice
    wrong: list[object] = ["", "nothing", knob.choices[0].upper(), None, 1, [], "x" * 10_000]
    for value in wrong:
        with pytest.raises(SettingsError, match=knob.choices[-1]):
            knob.check(value)


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "\0", "\ud800", 7, None])
def test_names(name: object) -> None:
    with pytest.raises(SettingsError):
        DreamSettings().replace(brain=name)


def test_a_guide_goes_with_its_objectives() -> None:
    for objective, given_ in (("l2", False), ("mean", False), ("guide-dot", True), ("guide-cosine", True)):
        settings = DreamSettings().replace(objective=objective)
        check_guide(settings, given_)
        with pytest.raises(SettingsError, match="guide"):
            check_guide(settings, not given_)


def test_settings_as_text() -> None:
    assert parse_setting("steps = 7") == ("steps", 7)
    assert DreamSettings.from_text({"steps": "7", "brain": "b"}) == DreamSettings(steps=7, brain="b")
    for wrong in ("steps", "nothing=1", "=1"):
        with pytest.raises(SettingsError):
            parse_setting(wrong)


@given(layers, st.integers(1, 1000), st.floats(0, 4))
def test_settings_as_json_and_back(value: LayerWeights, steps: int, strength: float) -> None:
    settings = DreamSettings().replace(layers=value, steps=steps, strength=strength)
    assert DreamSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@given(st.dictionaries(st.sampled_from([*KNOBS, "self", "nothing"]), json_values) | json_values)
def test_any_json_is_settings_or_settings_error(data: object) -> None:
    try:
        settings = DreamSettings.from_json(data)
    except SettingsError as error:
        json.dumps(error.to_wire()).encode()
    else:
        assert DreamSettings.from_json(settings.to_json()) == settings
