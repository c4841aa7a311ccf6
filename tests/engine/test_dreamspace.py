# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from blender_deepdream.engine.dreamspace import bring_home, dreamable, enter
from blender_deepdream.engine.images import Image
from blender_deepdream.protocol.messages import ColorSpace

CPU = torch.device("cpu")


def random_image(channels: int, space: ColorSpace) -> Image:
    pixels = np.random.default_rng(0).random((5, 7, channels), np.float32) * 3 - 0.5
    if channels % 2 == 0:
        pixels[..., -1] = pixels[..., -1].clip(0, 1)
    return Image(pixels, space)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("space", [space for space in ColorSpace if space != ColorSpace.AUTO])
def test_what_did_not_dream_comes_home_bit_for_bit(channels, space):
    image = random_image(channels, space)
    base = enter(image, 0.7, CPU)
    assert base.shape == (1, 3, 5, 7)
    assert 0 <= base.min() <= base.max() <= 1
    dream = base.clone()
    dream[..., 0] = 0.5
    home = bring_home(image, base, dream, 0.7).pixels
    assert home[:, 1:].tobytes() == image.pixels[:, 1:].tobytes()
    assert not np.array_equal(home[:, 0], image.pixels[:, 0])


def test_a_dream_that_fits_comes_home_as_it_is():
    image = Image(np.full((2, 2, 3), 0.25, np.float32), ColorSpace.LINEAR_REC2020)
    base = enter(image, 1.0, CPU)
    target = Image(np.full((2, 2, 3), [0.1, 0.2, 0.3], np.float32), ColorSpace.LINEAR_REC2020)
    home = bring_home(image, base, enter(target, 1.0, CPU), 1.0)
    np.testing.assert_allclose(home.pixels, target.pixels, atol=1e-6)


def test_brightening_a_premultiplied_pixel_adds_as_much_as_it_covers():
    image = Image(np.array([[[0, 0, 0, 0.5], [0, 0, 0, 1]]], np.float32))
    base = enter(image, 0, CPU)
    home = bring_home(image, base, torch.ones_like(base), 0).pixels
    np.testing.assert_allclose(home[0], np.array([[0.5, 0.5, 0.5, 0.5], [1, 1, 1, 1]]), atol=1e-6)


def test_grey_gets_as_much_lighter_as_the_dream():
    image = Image(np.zeros((1, 1, 1), np.float32))
    base = enter(image, 0, CPU)
    green = base.clone()
    green[:, 1] = 1
    assert bring_home(image, base, green, 0).pixels.item() == pytest.approx(0.7152)


def test_who_can_dream():
    pixels = np.ones((1, 6, 4), np.float32)
    pixels[0, 1, 3] = 0
    pixels[0, 2, 3] = -1
    pixels[0, 3, 3] = np.nan
    pixels[0, 4, 0] = np.inf
    assert dreamable(Image(pixels)).tolist() == [[True, False, False, False, False, True]]
