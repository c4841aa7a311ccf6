# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from blender_deepdream.engine.color import Array
from blender_deepdream.engine.dream import dream, dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.objectives import l2
from blender_deepdream.engine.octaves import NO_WRAP, Size, Wrap
from blender_deepdream.engine.regions import Region, areas_of
from blender_deepdream.protocol.errors import ImageError, SettingsError, UnknownLayerError
from blender_deepdream.protocol.messages import ColorSpace

CPU = torch.device("cpu")


@pytest.fixture
def grey() -> Image:
    return Image(np.full((64, 96, 3), 0.5, np.float32), ColorSpace.SRGB)


def half(left: float, right: float) -> Array:
    mask = np.full((64, 96), left, np.float32)
    mask[:, 48:] = right
    return mask


def test_shares_come_to_one(quick):
    ramp = np.linspace(0, 1, 96, dtype=np.float32)[None].repeat(64, axis=0)
    parts = [(Region(mask, quick), l2("a")) for mask in (ramp, half(1, 0), half(np.nan, 0.5))]
    areas = areas_of(l2("b"), parts, Size(64, 96), Wrap(True, True), CPU)
    assert [area.objective.layers[""] for area in areas] == [("b",), ("a",), ("a",), ("a",)]
    shares = torch.cat([area.share for area in areas if area.share is not None])
    assert len(shares) == 4
    torch.testing.assert_close(shares.sum(dim=0), torch.ones(1, 64, 96))
    assert not shares[0, 0, :, :48].any(), "where a region is whole, nothing else dreams"
    assert areas[0].at(1, Size(16, 24), NO_WRAP).share is not None


def test_each_region_dreams_its_own_and_the_rest_the_images(grey, brain, quick):
    """Far from the border between them, a region's dream is what its layers alone would dream, in the same places."""
    quick = quick.replace(jitter=0)
    other = quick.replace(layers=[["_blocks.1", 1]])
    both = dream_to_end(grey, brain, quick, regions=[Region(half(1, 0), other)]).pixels

    def likeness(pixels: Array, there: tuple[slice, ...]) -> float:
        return float(np.corrcoef((both - 0.5)[there].ravel(), (pixels - 0.5)[there].ravel())[0, 1])

    alone, whole = (dream_to_end(grey, brain, settings).pixels for settings in (other, quick))
    left, right = np.s_[:, :32], np.s_[:, 64:]
    assert likeness(alone, left) > likeness(whole, left) + 0.2
    assert likeness(whole, right) > likeness(alone, right) + 0.2


def test_regions_are_equally_strong_and_so_is_the_edge_between_them(grey, brain, quick):
    """In the mean of several seeds: in a picture of a few cells one seed says little."""
    ramp = np.clip(np.linspace(-1, 2, 96, dtype=np.float32), 0, 1)[None].repeat(64, axis=0)
    changes = []
    for seed in range(6):
        settings = quick.replace(octaves=1, steps=1, seed=seed)
        loud = Region(ramp, settings.replace(layers=[["_blocks.15", 1]]))
        changes.append(np.abs(dream_to_end(grey, brain, settings, regions=[loud]).pixels - 0.5))
    change = np.mean(changes, axis=0)
    ours, edge, theirs = (change[:, part].mean() for part in (np.s_[:28], np.s_[34:62], np.s_[68:]))
    assert ours == pytest.approx(theirs, rel=0.25)
    # patterns that agree in part add up to more than each
    assert edge == pytest.approx((ours + theirs) / 2, rel=0.35)


def test_a_region_may_have_its_own_guide(grey, scene, brain, quick):
    guided = quick.replace(objective="guide-dot")
    black = Image(np.zeros((8, 8, 3), np.float32))
    first, second = (
        dream_to_end(grey, brain, quick, regions=[Region(half(1, 0), guided, guide)]).pixels for guide in (scene, black)
    )
    assert not np.array_equal(first, second)
    with pytest.raises(SettingsError, match="needs a guide"):
        dream_to_end(grey, brain, quick, regions=[Region(half(1, 0), guided)])


def test_the_mask_holds_for_regions_too(grey, brain, quick):
    result = dream_to_end(grey, brain, quick, half(0, 1), regions=[Region(half(1, 0), quick)]).pixels
    assert (result[:, :48] == 0.5).all()
    assert np.abs(result[:, 48:] - 0.5).mean() > 0.005


def test_a_region_of_nowhere_changes_nothing(grey, brain, quick):
    nowhere = Region(half(0, 0), quick.replace(layers=[["_blocks.1", 1]]))
    with_it = dream_to_end(grey, brain, quick.replace(jitter=0), regions=[nowhere]).pixels
    # sums of the same numbers in another order, which steps make a little more of
    assert np.abs(with_it - dream_to_end(grey, brain, quick.replace(jitter=0)).pixels).mean() < 2e-4


def test_progress_never_goes_back(grey, brain, quick):
    regions = [Region(half(1, 0), quick), Region(half(0, 1), quick)]
    seen = [progress.fraction for progress in dream(grey, brain, quick, regions=regions)]
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_what_is_wrong_with_a_region_is_said(grey, brain, quick):
    with pytest.raises(ImageError, match="grey"):
        dream_to_end(grey, brain, quick, regions=[Region(np.ones((2, 2, 3), np.float32), quick)])
    with pytest.raises(UnknownLayerError, match="nowhere"):
        dream_to_end(grey, brain, quick, regions=[Region(half(1, 0), quick.replace(layers=[["nowhere", 1]]))])
