# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from blender_deepdream.engine.color import (
    Array,
    convert,
    enter_dream,
    from_rec709,
    leave_dream,
    roll_off,
    roll_on,
    srgb_decode,
    srgb_encode,
    to_rec709,
)
from blender_deepdream.protocol.messages import ColorSpace

SPACES = [space for space in ColorSpace if space != ColorSpace.AUTO]
LINEAR = [space for space in SPACES if space != ColorSpace.SRGB]


def ramp() -> Array:
    return np.linspace(0, 1, 24 * 3, dtype=np.float32).reshape(4, 6, 3)


def test_srgb_curve_at_known_points():
    linear = np.array([0, 0.0031308, 0.18, 0.5, 1], np.float32)
    np.testing.assert_allclose(srgb_encode(linear), [0, 0.04045, 0.46136, 0.73536, 1], atol=1e-5)


def test_srgb_curve_and_back():
    np.testing.assert_allclose(srgb_decode(srgb_encode(ramp())), ramp(), atol=1e-6)


def test_matrices_as_published():
    """ITU-R BT.2087 for Rec.2020 (its inverse), the Academy's ACEScg to Rec.709 with Bradford's adaptation."""
    np.testing.assert_allclose(
        to_rec709(ColorSpace.LINEAR_REC2020),
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
        atol=2e-4,
    )
    np.testing.assert_allclose(
        to_rec709(ColorSpace.ACESCG),
        [[1.70505, -0.62179, -0.08326], [-0.13026, 1.14080, -0.01055], [-0.02400, -0.12897, 1.15297]],
        atol=1e-4,
    )
    np.testing.assert_allclose(to_rec709(ColorSpace.LINEAR_REC709), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("space", LINEAR)
def test_white_is_white_in_every_space(space):
    np.testing.assert_allclose(to_rec709(space) @ np.ones(3), np.ones(3), atol=1e-9)
    np.testing.assert_allclose(to_rec709(space) @ from_rec709(space), np.eye(3), atol=1e-9)


@pytest.mark.parametrize("space", SPACES)
def test_into_dream_space_and_home(space):
    inside = leave_dream(ramp(), space, 1.5)
    np.testing.assert_allclose(enter_dream(inside, space, 1.5), ramp(), atol=2e-5)


def test_a_roll_off_is_smooth_keeps_the_dark_and_has_room_for_highlights():
    light = np.linspace(0, 20, 20_001, dtype=np.float32)
    rolled = roll_off(light)
    assert np.array_equal(rolled[light <= 0.8], light[light <= 0.8])
    slope = np.diff(rolled.astype(np.float64)) / 0.001
    assert (slope > 0).all()
    assert np.abs(np.diff(slope)).max() < 0.05, "no kink"
    assert rolled[1000] == pytest.approx(0.865, abs=0.001)
    assert light[np.argmax(rolled >= 1)] == pytest.approx(14.2, abs=0.1)
    np.testing.assert_allclose(roll_on(rolled[rolled <= 1]), light[rolled <= 1], rtol=1e-4)


@pytest.mark.parametrize("space", LINEAR)
def test_rolled_off_light_comes_home(space):
    light = leave_dream(ramp(), space, 1.5, "roll-off")
    np.testing.assert_allclose(enter_dream(light, space, 1.5, "roll-off"), ramp(), atol=2e-5)


@pytest.mark.parametrize("space", SPACES)
def test_whatever_comes_is_seen_finite_and_in_range(space):
    wild = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0], np.float32)
    pixels = np.stack(np.meshgrid(wild, wild, wild), axis=-1).reshape(6, 36, 3)
    seen = enter_dream(pixels, space, 16)
    assert np.isfinite(seen).all()
    assert seen.min() >= 0
    assert seen.max() <= 1


@pytest.mark.parametrize("source", SPACES)
@pytest.mark.parametrize("target", SPACES)
def test_conversions_come_back(source, target):
    inside = leave_dream(ramp(), source, 0)
    back = convert(convert(inside, source, target), target, source)
    np.testing.assert_allclose(back, inside, atol=2e-5)


@pytest.mark.parametrize("space", LINEAR)
def test_grey_stays_grey(space):
    grey = ramp()[..., :1]
    assert np.array_equal(convert(grey, space, ColorSpace.LINEAR_REC709), grey)
