# SPDX-License-Identifier: GPL-3.0-or-later
import random

import pytest
import torch
from torch import Tensor

from blender_deepdream.engine.ascent import Ascent, gradient_of, unit_mean
from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.objectives import Objective, l2
from blender_deepdream.engine.octaves import NO_WRAP, Size
from blender_deepdream.engine.regions import Area
from blender_deepdream.engine.smoothing import unit_deviation
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.tiling import Tiling
from blender_deepdream.protocol.settings import DreamSettings


@pytest.fixture
def image():
    return torch.rand(1, 3, 45, 70, generator=torch.Generator().manual_seed(0))


def ascend(brain: Brain, image: Tensor, mask: Tensor, layer: str, settings: DreamSettings) -> tuple[Tensor, float]:
    """One step's change, and the objective before it."""
    tiling = Tiling(settings.tile, brain.device)
    ascent = Ascent({"": brain}, settings, NO_WRAP, tiling, random.Random(0))
    return finish(ascent.step(image, mask, [Area(l2(layer))]))


def gradient(objective: Objective, brain: Brain, image: Tensor, shift: Size) -> tuple[Tensor, float]:
    tiles = Tiling(0, brain.device).tiles(
        Size(*image.shape[-2:]), brain.stride(objective.layers[""]), shift, NO_WRAP, random.Random(0)
    )
    return finish(gradient_of(objective, {"": brain}, image, tiles))


def test_a_small_step_uphill_raises_the_objective(brain, image):
    settings = DreamSettings().replace(step_size=0.001, smoothing=1)
    change, before = ascend(brain, image, torch.ones(1, 1, 45, 70), "_blocks.5", settings)
    _, after = gradient(l2("_blocks.5"), brain, image + change, Size(0, 0))
    assert after > before


def test_the_mean_change_where_the_mask_dreams_is_the_step_size(brain, image):
    mask = torch.zeros(1, 1, 45, 70)
    mask[..., 20:] = 1
    change, _ = ascend(brain, image, mask, "_blocks.5", DreamSettings())
    assert change[..., 20:].abs().mean() == pytest.approx(DreamSettings().step_size, rel=1e-3)


def test_the_gradient_is_that_of_the_image_wherever_the_grid_lies(brain, image):
    straight, _ = gradient(l2("_blocks.2"), brain, image, Size(0, 0))
    shifted, _ = gradient(l2("_blocks.2"), brain, image, Size(1, 3))
    assert straight.shape == shifted.shape == image.shape
    agreement = torch.cosine_similarity(straight.flatten(), shifted.flatten(), dim=0)
    assert agreement < 0.999


def test_shifts_beyond_a_cell_are_shifts_within_it(brain, image):
    """Jitter 0 and a jitter of nothing but whole cells look at the same grid."""
    mask = torch.ones(1, 1, 45, 70)
    still, _ = ascend(brain, image, mask, "_blocks.2", DreamSettings().replace(jitter=0))

    class WholeCells(random.Random):
        def randint(self, a, b):
            return 8

    ascent = Ascent({"": brain}, DreamSettings(), NO_WRAP, Tiling(0, brain.device), WholeCells())
    assert torch.equal(finish(ascent.step(image, mask, [Area(l2("_blocks.2"))]))[0], still)


def test_a_layers_share_does_not_depend_on_how_loud_it_is(brain, image):
    """Half and half is half and half, whatever the scale of the two layers' activations."""
    early, late, both = (
        gradient(objective, brain, image, Size(0, 0))[0]
        for objective in (l2("_blocks.0"), l2("_blocks.15"), 0.5 * l2("_blocks.0") + 0.5 * l2("_blocks.15"))
    )
    # Stride decides the padding, and that a little of the gradient: so compare by direction
    for alone in (early, late):
        assert torch.cosine_similarity(alone.flatten(), both.flatten(), dim=0) > 0.5


def test_no_slope_is_no_change():
    flat = torch.zeros(1, 3, 4, 4)
    assert not unit_mean(unit_deviation(flat), torch.ones(1, 1, 4, 4)).any()
    assert not unit_mean(torch.ones(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)).any()
