# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from blender_deepdream.engine.color import Array
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.motion import moved
from blender_deepdream.engine.octaves import NO_WRAP, Wrap
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings

ALL = Wrap(True, True)


def ramps(height: int = 40, width: int = 60) -> Array:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([rows / height, columns / width, 0 * rows], axis=2)


def after(pixels: Array, wrap: Wrap = NO_WRAP, **settings: float) -> Array:
    return moved(Image(pixels), DreamSettings().replace(**settings), wrap).pixels


def test_what_is_not_moved_is_the_same_image():
    image = Image(ramps())
    assert moved(image, DreamSettings(), NO_WRAP) is image


@pytest.mark.parametrize("band", [2**20, 100])
def test_a_shift_to_the_right_and_up(monkeypatch, band):
    monkeypatch.setattr("blender_deepdream.engine.motion.BAND_PIXELS", band)
    pixels = np.random.default_rng(0).random((40, 60, 3), np.float32)
    there = after(pixels, shift_x=0.25, shift_y=0.5)
    np.testing.assert_allclose(there[:20, 15:], pixels[20:, :45], atol=1e-4)
    np.testing.assert_allclose(there[:20, :15], pixels[20:, 14::-1], atol=1e-4, err_msg="mirrored at the edge")
    around = after(pixels, ALL, shift_x=0.25, shift_y=0.5)
    np.testing.assert_allclose(around, np.roll(pixels, (-20, 15), axis=(0, 1)), atol=1e-4)


def test_a_quarter_turn_is_counterclockwise_about_the_middle():
    pixels = np.random.default_rng(0).random((30, 30, 3), np.float32)
    np.testing.assert_allclose(after(pixels, rotate=90), np.rot90(pixels), atol=1e-4)


def test_a_zoom_keeps_the_middle_and_stretches_the_rest():
    zoomed = after(ramps(), zoom=2)
    np.testing.assert_allclose(zoomed.mean(axis=(0, 1)), ramps().mean(axis=(0, 1)), atol=0.01)
    slope = np.diff(zoomed[:, 10:-10, 1], axis=1)
    np.testing.assert_allclose(slope, 1 / 120, atol=1e-4)


def test_becoming_smaller_is_band_limited():
    """Stripes too fine to show come to grey, not to coarser stripes."""
    stripes = np.zeros((60, 60, 3), np.float32)
    stripes[:, ::2] = 1
    assert after(stripes, ALL, zoom=0.55).std() < 0.1


def test_there_and_back_stays_the_picture():
    smooth = np.sin(ramps() * 9)
    back = after(after(smooth, ALL, shift_x=0.013, shift_y=0.02), ALL, shift_x=-0.013, shift_y=-0.02)
    inside = np.s_[3:-3, 3:-3]
    np.testing.assert_allclose(back[inside], smooth[inside], atol=0.005)


def test_no_value_leaves_the_range_and_none_is_nan():
    pixels = np.zeros((20, 20, 3), np.float32)
    pixels[8:12, 8:12] = 100
    pixels[0, 0], pixels[0, 1] = np.nan, np.inf
    there = after(pixels, zoom=1.3, rotate=10)
    assert np.isfinite(there).all()
    assert there.min() >= 0


@pytest.mark.parametrize("settings", [{"zoom": 1.05}, {"zoom": 0.7}, {"rotate": 3}])
def test_beside_strong_light_it_is_not_dark(settings):
    pixels = np.full((40, 40, 3), 0.5, np.float32)
    pixels[10:20, 10:20] = 1e10
    pixels[:, 30:] = 0
    there = after(pixels, **settings)[:26, :26]
    assert there.max() == pytest.approx(1e10, rel=0.01)
    assert there.min() > 0.4, "a kernel's ripple beside white, no more"


def test_alpha_moves_along():
    pixels = np.full((20, 20, 4), 0.5, np.float32)
    pixels[:, :10] = [0.9, 0.9, 0.9, 0]
    image = moved(Image(pixels, ColorSpace.SRGB, premultiplied=False), DreamSettings(shift_x=0.3), NO_WRAP)
    assert image.premultiplied
    assert (image.pixels[:, 6:15] == 0).all(), "colour that was not to be seen does not bleed"
    np.testing.assert_allclose(image.pixels[:, 18:], np.broadcast_to([0.25, 0.25, 0.25, 0.5], (20, 2, 4)), atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (300, 2)])
def test_any_size_moves(brain, quick, shape):
    settings = quick.replace(steps=1, zoom=0.7, rotate=33, shift_x=0.4)
    result = dream_to_end(Image(np.full((*shape, 3), 0.5, np.float32)), brain, settings).pixels
    assert result.shape == (*shape, 3)
    assert np.isfinite(result).all()


def test_a_dream_moves_its_source_first(scene, brain, quick):
    settings = quick.replace(zoom=1.2, rotate=5)
    by_hand = dream_to_end(moved(scene, settings, NO_WRAP), brain, quick).pixels
    assert np.array_equal(dream_to_end(scene, brain, settings).pixels, by_hand)


def test_the_sources_colors_are_those_of_all_of_it(brain, quick):
    """A zoom into a bright middle must not make the next frames brighter and brighter."""
    pixels = np.full((40, 56, 3), 0.2, np.float32)
    pixels[10:30, 14:42] = 0.8
    image = Image(pixels, ColorSpace.SRGB)
    settings = quick.replace(color="source", zoom=1.5)
    kept, free = (dream_to_end(image, brain, settings.replace(color=color)).pixels for color in ("source", "free"))
    assert abs(kept.mean() - pixels.mean()) < 0.5 * abs(free.mean() - pixels.mean())
