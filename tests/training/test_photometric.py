# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from PIL import ImageEnhance

from blender_deepdream.training.photometric import (
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    LUMA,
    Distortion,
    colors_of,
    components,
    distort,
    draw,
)

ENHANCE = {CONTRAST: ImageEnhance.Contrast, BRIGHTNESS: ImageEnhance.Brightness, COLOR: ImageEnhance.Color}


def soft(count: int = 1, seed: int = 0) -> torch.Tensor:
    """Nx4x16x16, opaque, far from black and white."""
    numbers = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return torch.cat([0.35 + 0.3 * numbers, torch.ones(count, 1, 16, 16)], 1)


def once(order, factors, light=(0, 0, 0)) -> Distortion:
    """Of one picture."""
    return Distortion(np.array([factors]), np.array([order]), np.array([light]))


@pytest.mark.parametrize("order", list(itertools.permutations((CONTRAST, BRIGHTNESS, COLOR))))
def test_the_three_are_pillows_in_the_order_given(order: tuple[int, int, int]):
    factors = (0.7, 1.2, 1.4)
    picture = soft()
    found = distort(picture, once(order, factors))[0, :3]
    expected = Pillow.fromarray((picture[0, :3] * 255).round().byte().permute(1, 2, 0).numpy())
    for which in order:
        expected = ENHANCE[which](expected).enhance(factors[which])
    wanted = torch.from_numpy(np.array(expected)).permute(2, 0, 1) / 255
    assert (found - wanted).abs().max() < 4 / 255


def test_factors_of_one_and_no_light_change_nothing():
    picture = soft(3)
    still = Distortion(np.ones((3, 3)), np.tile(np.arange(3), (3, 1)), np.zeros((3, 3)))
    assert torch.allclose(distort(picture, still), picture, atol=1e-6)


def test_no_colour_is_grey_and_no_contrast_is_flat():
    grey = distort(soft(), once((0, 1, 2), (1, 1, 0)))[0, :3]
    assert torch.allclose(grey[0], grey[2], atol=1e-5)
    assert grey.std() > 0.01
    flat = distort(soft(), once((0, 1, 2), (0, 1, 1)))[0, :3]
    assert flat.std() < 1e-5


def test_light_is_added_to_every_pixel():
    picture = soft()
    lit = distort(picture, once((0, 1, 2), (1, 1, 1), (0.1, 0, -0.05)))
    moved = (lit - picture)[0, :3].mean((1, 2))
    assert torch.allclose(moved, torch.tensor([0.1, 0, -0.05]), atol=1e-5)


def test_each_picture_of_a_batch_has_its_own():
    pictures = soft(6)
    chances = draw(6, np.eye(3), np.random.default_rng(0))
    together = distort(pictures, chances)
    for number in range(6):
        alone = distort(pictures[number : number + 1], chances.part(slice(number, number + 1)))
        assert torch.allclose(alone[0], together[number], atol=1e-6)


def test_transparency_stays_and_colour_stays_below_it():
    pictures = soft(8)
    alpha = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    pictures = torch.cat([pictures[:, :3] * alpha, alpha], 1)
    moved = distort(pictures, draw(8, np.eye(3), np.random.default_rng(0)))
    assert torch.equal(moved[:, 3:], alpha)
    assert (moved[:, :3] <= alpha).all()
    assert (moved >= 0).all()


def test_what_is_transparent_does_not_weigh_in_the_contrast():
    picture = soft()
    half = picture.clone()
    half[..., 8:] = 0
    chances = once((0, 1, 2), (0.5, 1, 1))
    left = distort(half, chances)[..., :8]
    assert torch.allclose(left, distort(picture[..., :8], chances), atol=1e-5)


def test_factors_lie_between_a_half_and_three_halves_in_every_order():
    factors, order, light = draw(5000, np.eye(3), np.random.default_rng(0))
    assert factors.min() == pytest.approx(0.5, abs=0.01)
    assert factors.max() == pytest.approx(1.5, abs=0.01)
    assert len({tuple(turn) for turn in order}) == 6
    assert light.std(0) == pytest.approx(np.full(3, 0.1), rel=0.1)


def test_light_falls_along_the_colours_own_axes():
    rng = np.random.default_rng(0)
    colors = 0.5 + rng.normal(0, 1, (20_000, 1)) * [[0.2, 0.1, 0.0]] + rng.normal(0, 0.01, (20_000, 3))
    principal = components(colors)
    strongest = principal[:, np.argmax(np.linalg.norm(principal, axis=0))]
    assert np.linalg.norm(strongest) == pytest.approx(np.hypot(0.2, 0.1), rel=0.05)
    assert abs(strongest[2]) < 0.01
    assert strongest[0] / strongest[1] == pytest.approx(2, rel=0.05)
    assert np.cov((draw(20_000, principal, rng).light / 0.1).T) == pytest.approx(np.cov(colors.T), abs=2e-3)


def test_colours_are_those_of_opaque_pixels():
    pixels = np.zeros((4, 16, 16), np.uint8)
    pixels[:, :8] = np.array([255, 51, 0, 255])[:, None, None]
    colors = colors_of(pixels)
    assert len(colors) == 2
    assert colors == pytest.approx(np.array([[1, 0.2, 0]] * 2))
    assert components(colors_of(np.zeros((4, 16, 16), np.uint8))).tolist() == np.zeros((3, 3)).tolist()


def test_grey_is_pillows():
    assert sum(LUMA) == pytest.approx(1)
