# SPDX-License-Identifier: GPL-3.0-or-later
"""Every knob of a dream and of a training."""

from __future__ import annotations

import pytest

from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.knob import Knob
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.protocol.settings import DreamSettings

ALL = [*DreamSettings.knobs().values(), *Recipe.knobs().values()]
NUMBERS = [knob for knob in ALL if knob.kind in ("int", "float")]


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


@pytest.mark.parametrize("knob", [knob for knob in ALL if knob.kind == "choice"], ids=lambda knob: knob.name)
def test_choices(knob: Knob) -> None:
    assert knob.default == knob.choices[0]
    assert len(set(knob.choices)) == len(knob.choices)
    for choice in knob.choices:
        assert knob.check(choice) == knob.parse(choice) == choice
    wrong: list[object] = ["", "nothing", knob.choices[0].upper(), None, 1, [], "x" * 10_000]
    for value in wrong:
        with pytest.raises(SettingsError, match=knob.choices[-1]):
            knob.check(value)


@pytest.mark.parametrize("knob", [knob for knob in ALL if knob.kind == "flag"], ids=lambda knob: knob.name)
def test_flags(knob: Knob) -> None:
    assert knob.parse("yes") is knob.parse("On") is knob.parse("true") is knob.check(True) is True
    assert knob.parse("no") is knob.parse("off") is knob.parse("FALSE") is knob.check(False) is False
    wrong: list[object] = ["yes", 1, 0.0, None, []]
    for value in wrong:
        with pytest.raises(SettingsError, match=knob.name):
            knob.check(value)
    with pytest.raises(SettingsError, match=knob.name):
        knob.parse("perhaps")
