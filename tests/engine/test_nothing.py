# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.nothing import KINDS, named
from blender_deepdream.protocol.errors import ImageError
from blender_deepdream.protocol.messages import ColorSpace


def image_of(name: str, seed: int = 0) -> Image:
    image = named(name, seed)
    assert image is not None
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_a_picture_and_seeded(kind):
    first, again, other = (image_of(f"{kind}:60x40", seed) for seed in (1, 1, 2))
    assert first.pixels.shape == (40, 60, 3)
    assert first.color_space == ColorSpace.SRGB
    assert 0 <= first.pixels.min() < first.pixels.max() <= 1
    assert first.pixels.std() > 0.01
    assert first.pixels.tobytes() == again.pixels.tobytes()
    assert first.pixels.tobytes() != other.pixels.tobytes()


def test_its_name_may_say_the_seed_and_the_asker_the_color_space():
    assert image_of("hue:9x5:7").pixels.tobytes() == image_of("hue:9x5", 7).pixels.tobytes()
    linear = named("hue:9x5:7", 0, ColorSpace.ACESCG)
    assert linear is not None
    assert linear.color_space == ColorSpace.ACESCG
    np.testing.assert_allclose(linear.in_space(ColorSpace.SRGB).pixels, image_of("hue:9x5:7").pixels, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", ["1x1", "1x7", "9x2", "15x15"])
def test_each_has_any_size(kind, size):
    width, height = map(int, size.split("x"))
    image = image_of(f"{kind}:{size}")
    assert (image.width, image.height) == (width, height)
    assert np.isfinite(image.pixels).all()


@pytest.mark.parametrize("kind", ["clouds", "dusk", "noise"])
def test_some_repeat_seamlessly(kind):
    pixels = image_of(f"{kind}:96x64").pixels
    for axis in (0, 1):
        contrast = np.abs(np.roll(pixels, -1, axis) - pixels).mean(axis=(1 - axis, 2))
        assert contrast[-1] < contrast[:-1].mean() + 3 * contrast[:-1].std()


def test_clouds_are_smoother_than_noise():
    clouds, noise = (image_of(f"{kind}:64x64").pixels for kind in ("clouds", "noise"))
    roughness = [np.abs(np.diff(pixels, axis=0)).mean() / pixels.std() for pixels in (clouds, noise)]
    assert roughness[0] < roughness[1] / 3


@pytest.mark.parametrize("name", ["clouds", "clouds:", "clouds:64", "clouds:ax64", "photo.jpg", "smoke:64x64", "C:1x1"])
def test_other_names_are_files(name):
    assert named(name, 0) is None


@pytest.mark.parametrize("size", ["0x64", "64x0", "99999x1", "60000x60000"])
def test_a_size_that_is_none_is_said(size):
    with pytest.raises(ImageError, match="size"):
        named(f"noise:{size}", 0)


def test_nothing_dreams(brain, quick):
    source = image_of("hue:48x32")
    assert np.abs(dream_to_end(source, brain, quick).pixels - source.pixels).mean() > 0.005
