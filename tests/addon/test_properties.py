# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import bpy
import pytest

from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.knob import Knob
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


@pytest.mark.parametrize(
    "knob", [knob for knob in KNOBS.values() if knob.kind in ("int", "float")], ids=lambda knob: knob.name
)
def test_every_number_can_be_keyframed(dreaming: bpy.types.Scene, knob: Knob) -> None:
    settings = only_node(dreaming).group.deepdream
    low, high = knob.soft[0], min(knob.soft[1], 1e6)  # curves are single floats
    for frame, value in ((1, low), (11, high)):
        setattr(settings, knob.name, type(knob.default)(value))
        assert settings.keyframe_insert(knob.name, frame=frame)
    found = []
    for frame in (1, 6, 11):
        dreaming.frame_set(frame)
        found.append(getattr(settings.to_settings(), knob.name))
    assert found[0] == pytest.approx(low)
    assert low < found[1] < high
    assert found[2] == pytest.approx(high)


def test_layers_and_brains_fade_by_keyframes(dreaming: bpy.types.Scene) -> None:
    settings = only_node(dreaming).group.deepdream
    assert not settings.fades
    settings.layers = "_blocks.4=1..0, squeezenet::fire9=0..1"
    assert settings.fades
    for frame, value in ((1, 0.0), (11, 1.0)):
        settings.fade = value
        settings.keyframe_insert("fade", frame=frame)
    layers = []
    for frame in (1, 6, 11):
        dreaming.frame_set(frame)
        layers.append(settings.to_settings().layers)
    assert layers[0] == (("_blocks.4", 1.0),)
    assert dict(layers[1]) == pytest.approx({"_blocks.4": 0.5, "squeezenet::fire9": 0.5})
    assert layers[2] == (("squeezenet::fire9", 1.0),)
