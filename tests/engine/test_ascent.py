# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from blender_deepdream.engine.ascent import ascend, gradient_of, unit_mean
from blender_deepdream.engine.objectives import l2
from blender_deepdream.engine.octaves import Size
from blender_deepdream.engine.smoothing import unit_deviation
from blender_deepdream.protocol.settings import DreamSettings


@pytest.fixture
def image():
    return torch.rand(1, 3, 45, 70, generator=torch.Generator().manual_seed(0))


def test_a_small_step_uphill_raises_the_objective(brain, image):
    settings = DreamSettings().replace(step_size=0.001, smoothing=1)
    mask = torch.ones(1, 1, 45, 70)
    change, before = ascend(image, mask, brain, l2("_blocks.5"), settings, Size(0, 0))
    _, after = gradient_of(l2("_blocks.5"), brain, image + change, Size(0, 0))
    assert after > before


def test_the_mean_change_where_the_mask_dreams_is_the_step_size(brain, image):
    mask = torch.zeros(1, 1, 45, 70)
    mask[..., 20:] = 1
    change, _ = ascend(image, mask, brain, l2("_blocks.5"), DreamSettings(), Size(3, 5))
    assert change[..., 20:].abs().mean() == pytest.approx(DreamSettings().step_size, rel=1e-3)


def test_the_gradient_is_that_of_the_image_wherever_the_grid_lies(brain, image):
    straight, _ = gradient_of(l2("_blocks.2"), brain, image, Size(0, 0))
    whole_cells, _ = gradient_of(l2("_blocks.2"), brain, image, Size(4, 8))
    shifted, _ = gradient_of(l2("_blocks.2"), brain, image, Size(1, 3))
    assert torch.equal(straight, whole_cells)
    assert straight.shape == shifted.shape == image.shape
    agreement = torch.cosine_similarity(straight.flatten(), shifted.flatten(), dim=0)
    assert agreement < 0.999


def test_a_layers_share_does_not_depend_on_how_loud_it_is(brain, image):
    """Half and half is half and half, whatever the scale of the two layers' activations."""
    early, late, both = (
        gradient_of(objective, brain, image, Size(0, 0))[0]
        for objective in (l2("_blocks.0"), l2("_blocks.15"), 0.5 * l2("_blocks.0") + 0.5 * l2("_blocks.15"))
    )
    # Stride decides the padding, and that a little of the gradient: so compare by direction
    for alone in (early, late):
        assert torch.cosine_similarity(alone.flatten(), both.flatten(), dim=0) > 0.5


def test_no_slope_is_no_change():
    flat = torch.zeros(1, 3, 4, 4)
    assert not unit_mean(unit_deviation(flat), torch.ones(1, 1, 4, 4)).any()
    assert not unit_mean(torch.ones(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)).any()
