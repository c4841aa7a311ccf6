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
    check_guide,
)

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789._/", min_size=1, max_size=20).filter(lambda name: name != "class")
weights = st.floats(-1000, 1000).filter(lambda weight: abs(weight) > 1e-300)
layers = st.lists(st.tuples(names, weights), max_size=8, unique_by=lambda layer: layer[0]).map(tuple)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


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
    assert DreamSettings.parse_assignment("steps = 7") == ("steps", 7)
    assert DreamSettings.from_text({"steps": "7", "brain": "b"}) == DreamSettings(steps=7, brain="b")
    for wrong in ("steps", "nothing=1", "=1"):
        with pytest.raises(SettingsError):
            DreamSettings.parse_assignment(wrong)


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
