# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from blender_deepdream.engine.smoothing import smooth, unit_deviation


def noise(height: int = 64, width: int = 64) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def roughness(image: Tensor) -> float:
    return ((image[..., 1:] - image[..., :-1]).square().mean() / image.square().mean()).item()


def test_one_scale_keeps_the_pattern():
    gradient = noise() * 1e-9
    torch.testing.assert_close(smooth(gradient.clone(), 1), gradient / gradient.square().mean().sqrt())


@pytest.mark.parametrize("size", [(16, 12), (15, 9)])
def test_two_scales_are_the_gradient_and_its_pools(size):
    gradient = noise(*size)
    pooled = functional.avg_pool2d(gradient, 2, ceil_mode=True)
    grown = functional.interpolate(pooled, scale_factor=2, mode="bilinear")[..., : size[0], : size[1]]
    expected = sum(image / image.square().mean().sqrt() for image in (gradient, grown)) / 2
    torch.testing.assert_close(smooth(gradient.clone(), 2), expected)


def test_more_scales_are_calmer():
    values = [roughness(smooth(noise(), scales)) for scales in (1, 2, 3, 4)]
    assert values == sorted(values, reverse=True)
    assert values[2] < values[0] / 2


def test_a_slow_wave_is_as_loud_as_noise():
    """A wave of a tenth of the noise's height is lost in the gradient, and shows once the scales are evened out."""
    wave = torch.sin(torch.arange(64) * torch.pi / 16).expand(1, 3, 64, 64)
    smoothed = smooth(noise() + 0.1 * wave, 6)
    share = (smoothed * wave).mean() / (smoothed.square().mean() * wave.square().mean()).sqrt()
    assert share > 0.4


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_images_smaller_than_the_scales(size):
    smoothed = smooth(noise(*size), 6)
    assert smoothed.shape[-2:] == size
    assert smoothed.isfinite().all()


def test_zeros_stay_zeros():
    assert not smooth(torch.zeros(1, 3, 8, 8), 3).any()


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e15])
def test_deviation_becomes_one(scale):
    evened = unit_deviation(noise().double() * scale)
    assert evened.square().mean().sqrt() == pytest.approx(1)
