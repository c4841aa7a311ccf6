# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import pytest

from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.settings import KNOBS, DreamSettings

from .conftest import only_node


def test_every_knob_is_a_property_with_its_range_and_help(dreaming: bpy.types.Scene) -> None:
    shown = only_node(dreaming).group.deepdream.bl_rna.properties
    for knob in KNOBS.values():
        prop = shown[knob.name]
        assert (prop.name, prop.description) == (knob.label, knob.help)
        if knob.kind in ("int", "float"):
            assert (prop.hard_min, prop.hard_max) == pytest.approx(knob.hard)
            assert (prop.soft_min, prop.soft_max) == pytest.approx(knob.soft)


def test_a_new_node_has_the_defaults(dreaming: bpy.types.Scene) -> None:
    from blender_deepdream.addon import node

    settings = node.new_group().deepdream.to_settings()
    for name, value in DreamSettings().to_json().items():
        assert settings.to_json()[name] == (pytest.approx(value) if isinstance(value, float) else value)


def test_layers_are_text(dreaming: bpy.types.Scene) -> None:
    group = only_node(dreaming).group
    group.deepdream.layers = "_blocks.4=2, _blocks.9"
    assert group.deepdream.to_settings().layers == (("_blocks.4", 2.0), ("_blocks.9", 1.0))
    group.deepdream.layers = "_blocks.4=x"
    with pytest.raises(SettingsError):
        group.deepdream.to_settings()
