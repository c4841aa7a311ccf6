# SPDX-License-Identifier: GPL-3.0-or-later
"""Every button and every setting says what it does, and a grey button says why."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import pytest

from blender_deepdream import addon
from blender_deepdream.addon import operators

NAMES = [item.bl_idname.partition(".")[2] for item in operators.classes]


@pytest.fixture
def bare() -> Iterator[None]:
    """A file with nothing in it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield
    bpy.ops.wm.read_factory_settings()


@pytest.mark.parametrize("name", NAMES)
def test_a_button_that_is_grey_says_why(bare: None, name: str) -> None:
    operator = getattr(bpy.ops.deepdream, name)
    if operator.poll():
        return
    with pytest.raises(RuntimeError) as told:
        operator()
    assert "context is incorrect" not in str(told.value)
    assert len(str(told.value).partition("poll() ")[2].split()) > 2


@pytest.mark.parametrize("name", NAMES)
def test_every_button_has_a_tooltip(name: str) -> None:
    described = getattr(bpy.ops.deepdream, name).get_rna_type()
    assert len(described.description.split()) > 2
    shown = [prop for prop in described.properties if not prop.is_hidden and prop.identifier != "rna_type"]
    assert {prop.identifier for prop in shown if not prop.name} == set()


@pytest.mark.parametrize("group", [item for item in addon.CLASSES if issubclass(item, bpy.types.PropertyGroup)])
def test_every_setting_that_is_shown_has_a_name(group: type) -> None:
    shown = [
        prop for prop in group.bl_rna.properties if not prop.is_hidden and prop.type not in {"COLLECTION", "POINTER"}
    ]
    assert {prop.identifier for prop in shown if not prop.name} == set()
