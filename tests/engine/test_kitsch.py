# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses
from collections.abc import Generator

import numpy as np
import pytest
import torch

from blender_deepdream.engine import atlas as atlas_module
from blender_deepdream.engine import kitsch
from blender_deepdream.engine.atlas import Cell, atlas
from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.cell_cache import CellCache
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.kitsch import (
    CROP_SIDE,
    Yardstick,
    crops,
    distance,
    impression,
    mean_distance,
    pairwise,
    yardstick,
)
from blender_deepdream.engine.networks.imagenet import imagenet_classes
from blender_deepdream.engine.nothing import named
from blender_deepdream.engine.steps import follow
from blender_deepdream.protocol.errors import InputError, UnknownLayerError
from blender_deepdream.protocol.messages import ColorSpace, Progress
from blender_deepdream.protocol.settings import DreamSettings


def nothing(name: str, seed: int = 0) -> Image:
    image = named(name, seed)
    assert image is not None
    return image


@pytest.fixture(scope="module")
def sky(brain):
    return impression(nothing("clouds:240x160"), brain)


def test_shares_are_of_a_whole(sky):
    assert sky.shares.shape == (1000,)
    assert float(sky.shares.sum()) == pytest.approx(1, abs=1e-5)
    assert sum(sky.families().values()) == pytest.approx(1, abs=1e-5)
    shares = [share for _, share in sky.classes(5)]
    assert shares == sorted(shares, reverse=True)
    assert list(sky.families().values()) == sorted(sky.families().values(), reverse=True)


def test_what_a_dream_was_made_to_show_is_seen_in_it(brain):
    peacock = imagenet_classes().index("peacock")
    settings = DreamSettings().replace(layers=((f"_fc:{peacock}", 1.0),), objective="mean", octaves=3, steps=12)
    source = nothing("dusk:224x224")
    before, after = impression(source, brain), impression(dream_to_end(source, brain, settings), brain)
    assert "peacock" in [name for name, _ in after.classes(10)]
    assert after.shares[peacock] > 5 * before.shares[peacock]
    assert after.families()["birds"] > before.families()["birds"]


def test_the_same_image_in_another_colour_space_is_the_same_to_it(brain, sky):
    linear = nothing("clouds:240x160").in_space(ColorSpace.LINEAR_REC709)
    assert distance(impression(linear, brain).features, sky.features) < 1e-4


def test_crops_cover_the_image_at_several_scales():
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(100.0), indexing="ij")
    seen = list(crops(torch.stack([rows / 100, columns / 100, rows * 0])[None]))
    assert all(crop.shape == (1, 3, CROP_SIDE, CROP_SIDE) for crop in seen)
    assert len(seen) == 3 + 2 * 4 + 3 * 4
    for axis, length in ((0, 40), (1, 100)):
        assert min(float(crop[0, axis].min()) for crop in seen) < 0.01
        assert max(float(crop[0, axis].max()) for crop in seen) > length / 100 - 0.03
    extents = {round(float(crop[0, 0].max() - crop[0, 0].min()), 1) for crop in seen}
    assert len(extents) == 3


def test_a_very_long_image_costs_no_more_than_others():
    assert sum(1 for _ in crops(torch.zeros(1, 3, 16, 60_000))) == 4 + 2 * 4 + 3 * 4


def test_distances():
    first, second, third = (kitsch.Impression(torch.zeros(1000), torch.tensor(features)) for features in _FEATURES)
    assert distance(first.features, first.features) == pytest.approx(0, abs=1e-6)
    assert pairwise([first, second, third]) == pytest.approx({(0, 1): 1, (0, 2): 2, (1, 2): 1}, abs=1e-6)
    assert mean_distance([first, second, third]) == pytest.approx(4 / 3)


_FEATURES = ([1.0, 0.0], [0.0, 3.0], [-2.0, 0.0])


def test_the_yardstick_tells_one_layer_from_two(brain, tmp_path, monkeypatch):
    monkeypatch.setattr(kitsch, "YARDSTICK_LAYERS", ("_blocks.1", "_blocks.4"))
    monkeypatch.setattr(atlas_module, "DREAM_SIDE", 48)
    monkeypatch.setattr(kitsch, "SCALES", (1.0,))
    cache = CellCache(tmp_path)
    measure, told = to_end(yardstick(brain, brain, cache))
    assert 0 < measure.same_layer < measure.other_layer < 2
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert to_end(yardstick(brain, brain, cache)) == (measure, []), "kept"


def to_end(steps: Generator[Progress, None, Yardstick]) -> tuple[Yardstick, list[Progress]]:
    told: list[Progress] = []
    return follow(steps, told.append), told


def test_what_is_no_image_or_no_judge_is_said(brain):
    with pytest.raises(InputError, match="shows nothing"):
        impression(Image(np.zeros((8, 300, 3), np.float32)), brain)
    for changes in ({"classifier": None}, {"classes": ("cat", "dog")}):
        other = Brain(dataclasses.replace(brain.card, **changes), brain.network, brain.device)
        with pytest.raises(UnknownLayerError, match="lite0"):
            impression(nothing("clouds:64x64"), other)


def test_a_cell_is_an_image_again(brain):
    (cell,) = [item for item in atlas(brain, nothing("dusk:32x32"), ["_blocks.0"], size=32) if isinstance(item, Cell)]
    assert cell.image().pixels.shape == (32, 32, 3)
    assert 0 <= cell.image().pixels.min() < cell.image().pixels.max() <= 1
