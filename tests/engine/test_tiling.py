# SPDX-License-Identifier: GPL-3.0-or-later
import random
from collections.abc import Collection
from typing import TypeVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from blender_deepdream.engine.ascent import Ascent, gradient_of
from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.dream import dream, dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.objectives import l2
from blender_deepdream.engine.octaves import NO_WRAP, Size, Wrap, crop, resize_picture
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.strips import FEW_CELLS
from blender_deepdream.engine.tiling import Mosaic, Tiling, automatic_side
from blender_deepdream.protocol.errors import OutOfMemoryError, SettingsError
from blender_deepdream.protocol.settings import DreamSettings

from .seams import ToldTiling, strength_at_seams

T = TypeVar("T")
CPU = torch.device("cpu")
sides = st.integers(1, 300)


def noise(height: int, width: int) -> Tensor:
    """Soft noise, the same everywhere."""
    grains = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(0))
    return resize_picture(grains, Size(height, width)) / 2 + 0.25


@settings(deadline=None)
@given(
    st.builds(Size, sides, sides),
    st.sampled_from([4, 8, 16]),
    st.sampled_from([64, 100]),
    st.builds(Wrap, st.booleans(), st.booleans()),
    sides,
)
def test_tiles_hold_the_image_and_weigh_the_same_where_they_see_it(size, stride, side, wrap, seed):
    height, width = size
    image = torch.arange(height * width, dtype=torch.float32).reshape(1, 1, height, width)
    seen, ones = Mosaic(size), Mosaic(size)
    tiles = Tiling(side, CPU).tiles(size, stride, Size(seed % stride, 1), wrap, random.Random(seed))
    for tile in tiles:
        patch = tile.read(image)
        assert torch.equal(patch, image[..., tile.rows.sees[:, None], tile.columns.sees])
        assert all(length % stride == 0 and length <= side for length in patch.shape[-2:])
        seen.add(tile, patch)
        ones.add(tile, torch.ones_like(patch))
    weights = ones.finish()
    unseen = weights == 0
    torch.testing.assert_close(weights, torch.where(unseen, weights, 1))
    # where tiles meet, the sums of some thousand values of a float each are compared
    torch.testing.assert_close(seen.finish(), torch.where(unseen, 0, image), rtol=1e-5, atol=1e-5)
    # all but three quarters of a cell at the ends of what has enough cells, and does not go on there
    enough = [length >= FEW_CELLS * stride and not go_on for length, go_on in zip(size, wrap, strict=True)]
    edge = Size(*(stride * 3 // 4 if much else 0 for much in enough))
    assert not crop(unseen, edge).any()
    assert sum(tile.share for tile in tiles) == pytest.approx(1)


def test_an_image_that_fits_is_one_tile_and_draws_no_numbers():
    numbers = random.Random(0)
    (tile,) = Tiling(128, CPU).tiles(Size(70, 90), 8, Size(3, 5), NO_WRAP, numbers)
    assert (tile.share, tile.extent) == (1, 1)
    assert (len(tile.rows), len(tile.columns)) == (72, 88)
    assert numbers.getstate() == random.Random(0).getstate()


def test_where_tiles_disagree_the_gradient_is_as_strong_as_elsewhere():
    size, generator = Size(400, 400), torch.Generator().manual_seed(0)
    mosaic = Mosaic(size)
    for tile in Tiling(128, CPU).tiles(size, 8, Size(0, 0), NO_WRAP, random.Random(0)):
        mosaic.add(tile, torch.randn(1, 3, len(tile.rows), len(tile.columns), generator=generator))
    rows = mosaic.finish().square().mean(dim=(0, 1, 3))
    assert (rows.std() / rows.mean()).item() < 0.08, "no more than chance"
    assert rows.mean() == pytest.approx(1, abs=0.02)


def test_tiles_find_the_gradient_of_the_whole(brain):
    image = noise(192, 256)
    parts, whole = (
        finish(gradient_of(l2("_blocks.3"), {"": brain}, image, tiles))
        for tiles in (
            Tiling(side, CPU).tiles(Size(192, 256), 8, Size(3, 5), NO_WRAP, random.Random(0)) for side in (128, 512)
        )
    )
    assert torch.cosine_similarity(parts[0].flatten(), whole[0].flatten(), dim=0) > 0.995
    assert parts[1] == pytest.approx(whole[1], rel=0.05)


@pytest.mark.parametrize(("layer", "side"), [("_blocks.4", 128), ("_blocks.8", 160)])
def test_no_seam_shows_over_ten_steps(brain, layer, side):
    image, tiling = noise(240, 336), ToldTiling(side, CPU)
    ascent = Ascent({"": brain}, DreamSettings(), NO_WRAP, tiling, random.Random(0))
    assert strength_at_seams(ascent, tiling, l2(layer), image) == pytest.approx(1, rel=0.03)


def test_a_dream_in_tiles_is_a_dream_and_tells_of_each(brain, quick):
    image = Image(noise(100, 180)[0].permute(1, 2, 0).contiguous().numpy())
    tiled = quick.replace(octaves=1, tile=64, jitter=0)
    progress = list(dream(image, brain, tiled))
    assert len(progress) > 10
    fractions = [one.fraction for one in progress]
    assert fractions == sorted(set(fractions))
    assert fractions[-1] == 1
    assert {(one.octave, one.step) for one in progress} == {(1, 1), (1, 2)}
    assert all(np.isfinite(one.value) and one.value > 0 for one in progress)
    first, second = (dream_to_end(image, brain, tiled).pixels for _ in range(2))
    assert first.tobytes() == second.tobytes()


class SmallBrain(Brain):
    """One that runs out of memory on anything larger than 100 x 100."""

    def __init__(self, brain: Brain, limit: int) -> None:
        super().__init__(brain.card, brain.network, brain.device)
        self.limit = limit

    def activations(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        if x.shape[-2] * x.shape[-1] > self.limit:
            raise torch.OutOfMemoryError("out of memory")
        return super().activations(x, layers)


def test_out_of_memory_goes_on_with_smaller_tiles(brain, scene, quick, caplog):
    result = dream_to_end(scene, SmallBrain(brain, 64**2), quick.replace(tile=256))
    assert np.abs(result.pixels - scene.pixels).mean() > 0.005
    assert [record.args for record in caplog.records] == [(256, 128), (128, 64)]


def test_out_of_memory_with_the_smallest_tiles_is_said(brain, scene, quick):
    with pytest.raises(OutOfMemoryError, match="smaller"):
        dream_to_end(scene, SmallBrain(brain, 10), quick)


def test_a_tile_too_small_is_said(brain, scene, quick):
    with pytest.raises(SettingsError, match="at least 128"):
        dream_to_end(scene, brain, quick.replace(tile=100, layers=(("_blocks.12", 1.0),)))


def test_automatic_is_one_size_for_a_kind_of_device():
    assert Tiling(0, CPU).side == automatic_side(CPU) == 768
    assert Tiling(200, CPU).side == 200
