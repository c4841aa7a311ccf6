# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch
from torch import Tensor

from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.octaves import NO_WRAP, Wrap
from blender_deepdream.engine.restraint import as_lightness, calmed, decorrelated, restrain, with_colors_of
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings


def noise(seed: int = 0, height: int = 24, width: int = 32) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def variation(image: Tensor) -> float:
    return sum(float(image.diff(dim=axis).abs().mean()) for axis in (-1, -2))


def test_nothing_asked_is_nothing_done():
    image = noise()
    assert restrain(image, noise(1), DreamSettings(), NO_WRAP) is image


def test_total_variation_falls_and_comes_to_rest():
    image = noise()
    for amount in (0.001, 0.09, 1.0):
        calm = image
        for _ in range(200):
            calm = calm + calmed(calm, amount, NO_WRAP)
        assert variation(calm) < 0.8 * variation(image)
        assert calm.mean() == pytest.approx(image.mean().item(), abs=1e-4)
        assert calm.min() > -0.5
        assert calm.max() < 1.5
    assert not calmed(torch.full((1, 3, 5, 5), 0.4), 1.0, NO_WRAP).any()
    assert not calmed(torch.zeros(1, 3, 1, 1), 1.0, NO_WRAP).any()


def test_across_sides_that_wrap_variation_falls_too():
    step = torch.zeros(1, 3, 4, 6)
    step[..., 3:] = 1
    seam = calmed(step, 0.01, Wrap(False, True))[..., 0]
    assert (seam > 0).all()
    assert not calmed(step, 0.01, NO_WRAP)[..., 0].any()


def test_pull_goes_a_part_of_the_way_back():
    image, source = noise(), noise(1)
    torch.testing.assert_close(restrain(image, source, DreamSettings(pull=0.25), NO_WRAP), image * 0.75 + source * 0.25)
    assert torch.equal(restrain(image, source, DreamSettings(pull=1.0), NO_WRAP), source)


def test_lightness_moves_all_colors_alike():
    gradient = as_lightness(noise())
    assert torch.equal(gradient[:, 0], gradient[:, 1])
    assert torch.equal(gradient[:, 0], gradient[:, 2])


def test_decorrelated_is_mostly_light_and_dark():
    gradient = decorrelated(noise() - 0.5)
    color = gradient - gradient.mean(dim=1, keepdim=True)
    assert 0 < color.std() < 0.4 * gradient.std()
    warm, cool = (decorrelated(torch.tensor(way)[None, :, None, None]) for way in ([1.0, 0, -1], [0.0, 1, -1]))
    assert warm.norm() > 0
    assert warm.norm() > 1.5 * cool.norm(), "photographs vary more from orange to blue than from green to blue"


def test_colors_take_mean_and_covariance_of_the_source():
    image, source = noise() ** 2, noise(1) * torch.tensor([0.2, 0.5, 0.3])[:, None, None] + 0.3
    mask = torch.ones(1, 1, 24, 32)
    moved = with_colors_of(image, source, mask)
    torch.testing.assert_close(moved.mean(dim=(2, 3)), source.mean(dim=(2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(torch.cov(moved[0].flatten(1)), torch.cov(source[0].flatten(1)), atol=0.002, rtol=0)
    torch.testing.assert_close(with_colors_of(source, source, mask), source, atol=1e-4, rtol=0)


def test_colors_of_nowhere_or_of_one_color():
    assert torch.equal(with_colors_of(noise(), noise(1), torch.zeros(1, 1, 24, 32)), noise())
    grey = torch.full((1, 3, 24, 32), 0.5)
    moved = with_colors_of(noise(), grey, torch.ones(1, 1, 24, 32))
    assert moved.isfinite().all()
    assert 0 < moved.std() < noise().std()


@pytest.fixture
def photo(scene):
    return scene.in_space(ColorSpace.SRGB)


def test_a_calmed_dream_is_calmer(photo, brain, quick):
    free, calm = (dream_to_end(photo, brain, quick.replace(steps=8, total_variation=value)) for value in (0.0, 2.0))
    assert variation(torch.from_numpy(calm.pixels.T.copy())) < 0.9 * variation(torch.from_numpy(free.pixels.T.copy()))


def test_a_pulled_dream_stays_closer_to_the_source(photo, brain, quick):
    free, pulled = (
        np.abs(dream_to_end(photo, brain, quick.replace(steps=8, pull=value)).pixels - photo.pixels).mean()
        for value in (0.0, 0.2)
    )
    assert 0.1 * free < pulled < 0.8 * free


def test_a_dream_in_lightness_keeps_the_differences_of_colors(brain, quick):
    grey = Image(np.full((40, 56, 3), [0.4, 0.5, 0.55], np.float32), ColorSpace.SRGB)
    change = dream_to_end(grey, brain, quick.replace(color="lightness")).pixels - grey.pixels
    np.testing.assert_allclose(change[..., 0], change[..., 2], atol=1e-5)
    assert np.abs(change).mean() > 0.005


def test_a_dream_in_the_sources_colors_keeps_their_mean(photo, brain, quick):
    settings = quick.replace(steps=8, step_size=0.03)
    free, kept = (dream_to_end(photo, brain, settings.replace(color=color)).pixels for color in ("free", "source"))
    mean, spread = photo.pixels.mean(axis=(0, 1)), photo.pixels.std(axis=(0, 1))
    assert np.abs(kept.std(axis=(0, 1)) - spread).sum() < 0.7 * np.abs(free.std(axis=(0, 1)) - spread).sum()
    np.testing.assert_allclose(kept.mean(axis=(0, 1)), mean, atol=0.05)
