# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.dream import dream, dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.wanted import GUIDE_SIDE, look_at, objective_of
from blender_deepdream.protocol.errors import SettingsError, UnknownBrainError, UnknownLayerError
from blender_deepdream.protocol.layers import parse_layers
from blender_deepdream.protocol.settings import DreamSettings


def layers(text: str, **more: object) -> DreamSettings:
    return DreamSettings().replace(layers=parse_layers(text), **more)


def checks() -> Image:
    rows, columns = np.mgrid[0:64, 0:96]
    squares = ((rows // 8 + columns // 8) % 2).astype(np.float32)
    return Image(np.stack([squares, 1 - squares, squares * 0], axis=2))


def test_layers_weights_and_channels_become_terms(brain):
    wanted = objective_of(layers("_blocks.9:12+57=3, _blocks.4=-1"), None, {"": brain}, 4)
    assert [(term.layer, term.weight, term.channels) for term in wanted.terms] == [
        ("_blocks.9", 0.75, (12, 57)),
        ("_blocks.4", -0.25, ()),
    ]


def test_no_layer_means_the_brains_own_choice(brain):
    wanted = objective_of(DreamSettings(), None, {"": brain}, 4)
    assert [term.layer for term in wanted.terms] == [name for name, _ in brain.card.default_layers]


def test_a_channel_that_is_none_is_said_with_their_number(brain):
    objective_of(layers("_blocks.9:111"), None, {"": brain}, 4)
    with pytest.raises(UnknownLayerError, match=r"no channel 112.* 0 to 111"):
        objective_of(layers("_blocks.9:112"), None, {"": brain}, 4)
    with pytest.raises(UnknownLayerError, match=r"_blocks\.99"):
        objective_of(layers("_blocks.99:1"), None, {"": brain}, 4)


def test_a_chosen_channel_grows_and_its_opposite_shrinks(scene, brain):
    def activity(text: str) -> float:
        settings = layers(text, objective="mean", octaves=1, steps=8)
        values = [progress.value for progress in dream(scene, brain, settings)]
        return values[-1] - values[0]

    assert activity("_blocks.5:7") > 0
    assert activity("_blocks.5:7=-1") > 0, "less of the channel is more of the objective"
    settings = layers("_blocks.5:7", objective="mean", octaves=1, steps=2)
    other = layers("_blocks.5:8", objective="mean", octaves=1, steps=2)
    pixels = dream_to_end(scene, brain, settings).pixels
    assert not np.array_equal(pixels, dream_to_end(scene, brain, other).pixels)


@pytest.mark.parametrize("kind", ["guide-dot", "guide-cosine"])
def test_a_guide_steers(scene, brain, kind):
    """What the dream sees comes closer to the guide's features than without one."""
    settings = layers("_blocks.5", objective=kind, octaves=1, steps=8)
    values = [progress.value for progress in dream(scene, brain, settings, guide=checks())]
    assert values[-1] > 1.1 * values[0]
    pixels = dream_to_end(scene, brain, settings.replace(steps=2), guide=checks()).pixels
    black = Image(np.zeros((8, 8, 3), np.float32))
    assert not np.array_equal(pixels, dream_to_end(scene, brain, settings.replace(steps=2), guide=black).pixels)


def test_a_guide_may_have_any_size_and_any_pixels(scene, brain):
    settings = layers("_blocks.5:3+5", objective="guide-dot", octaves=1, steps=1)
    for shape in ((1, 1, 1), (1, 300, 4), (200, 3, 3)):
        guide = Image(np.full(shape, np.nan, np.float32))
        guide.pixels[0, 0] = np.inf
        assert np.isfinite(dream_to_end(scene, brain, settings, guide=guide).pixels).all()


@pytest.mark.parametrize("shape", [(900, 300), (20, 30), (384, 384)])
def test_a_guide_is_looked_at_in_one_size(brain, shape):
    seen = look_at(Image(np.zeros((*shape, 3), np.float32)), brain, ["_blocks.9"])["_blocks.9"]
    assert max(seen.shape[-2:]) * 16 == GUIDE_SIDE
    assert not torch.is_grad_enabled() or not seen.requires_grad


def test_a_guide_that_is_missing_is_said(scene, brain):
    with pytest.raises(SettingsError, match="needs a guide"):
        dream_to_end(scene, brain, layers("_blocks.5", objective="guide-dot"))


def test_a_guide_for_the_regions_leaves_the_rest_alone(brain):
    wanted = objective_of(layers("_blocks.5"), checks(), {"": brain}, 4)
    assert wanted.terms == objective_of(layers("_blocks.5"), None, {"": brain}, 4).terms


def test_layers_dream_in_their_octaves(scene, brain, quick):
    """A layer of the last octave alone leaves the smaller ones as they are."""
    last = quick.replace(layers=[["_blocks.4@2", 1]])
    assert [progress.value for progress in dream(scene, brain, last)][:2] == [0, 0]
    first = dream_to_end(scene, brain, quick.replace(layers=[["_blocks.4@1", 1]])).pixels
    whole = dream_to_end(scene, brain, quick.replace(layers=[["_blocks.4@1-2", 1]])).pixels
    assert whole.tobytes() == dream_to_end(scene, brain, quick).pixels.tobytes()
    assert np.abs(np.diff(first, axis=1)).mean() < np.abs(np.diff(whole, axis=1)).mean()


def test_octaves_that_are_not_there_are_said(scene, brain, quick):
    with pytest.raises(SettingsError, match=r"'_blocks\.4@3-' never dreams: this image has 2 octaves"):
        dream_to_end(scene, brain, quick.replace(layers=[["_blocks.4@3-", 1]]))
    dot = Image(np.zeros((1, 1, 3), np.float32))
    with pytest.raises(SettingsError, match="has 1 octaves"):
        dream_to_end(dot, brain, quick.replace(seamless="both", octaves=4, layers=[["_blocks.4@4", 1]]))


def test_a_direction_needs_channels_and_factors_a_direction(scene, brain, quick):
    for text, objective in (("_blocks.5", "direction"), ("", "direction"), ("_blocks.5:1*2", "l2")):
        with pytest.raises(SettingsError, match="direction"):
            dream_to_end(scene, brain, quick.replace(layers=parse_layers(text), objective=objective))
    settings = quick.replace(layers=parse_layers("_blocks.5:7+8*-0.5"), objective="direction", octaves=1, steps=6)
    values = [progress.value for progress in dream(scene, brain, settings)]
    assert values[-1] > values[0]
    with pytest.raises(UnknownLayerError, match="no channel 99"):
        dream_to_end(scene, brain, settings.replace(layers=parse_layers("_blocks.5:99")))


def test_brains_mix(scene, brain: Brain, quick):
    """Two brains dream together as two layers of one do; which brain is "own" does not matter."""
    settings = quick.replace(layers=parse_layers("_blocks.4, twin::_blocks.6"))
    found: list[str] = []

    def load(name: str) -> Brain:
        found.append(name)
        return brain

    mixed = dream_to_end(scene, brain, settings, load=load).pixels
    assert found == ["twin"]
    one = dream_to_end(scene, brain, quick.replace(layers=parse_layers("_blocks.4, _blocks.6"))).pixels
    np.testing.assert_allclose(mixed, one, atol=0.02)
    own = quick.replace(layers=parse_layers("lite0::_blocks.4"))
    assert np.array_equal(dream_to_end(scene, brain, own).pixels, dream_to_end(scene, brain, quick).pixels)
    with pytest.raises(UnknownBrainError, match="twin"):
        dream_to_end(scene, brain, settings)
