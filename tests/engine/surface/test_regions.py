# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a wall of two sheets that dream of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.dream import dream_surface
from blender_deepdream.engine.surface.regions import Region
from blender_deepdream.engine.surface.sheets import Sheet
from blender_deepdream.protocol.errors import ImageError, SettingsError, UnknownBrainError
from blender_deepdream.protocol.settings import DreamSettings

from .test_dream import sheets, wall


def grey(value: float, top: float | None = None) -> Image:
    """A mask of one brightness, or of another one in its upper half."""
    mask = np.full((32, 32, 1), value, np.float32)
    mask[:16] = value if top is None else top
    return Image(mask)


def dreamt(
    folder: Path, brain: Brain, settings: DreamSettings, *regions: Region, on: list[Sheet] | None = None
) -> list[np.ndarray]:
    views = [wall(folder), wall(folder, 1)]
    result = finish(dream_surface(views, on or sheets(), brain, settings, regions=regions))
    return [image.pixels for image in result.images]


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    first, second = ((pixels - 0.3)[4:-4, 4:-4].ravel() for pixels in (one, other))
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.fixture
def early(quick: DreamSettings) -> DreamSettings:
    return quick.replace(layers=(("_blocks.2", 1.0),), jitter=0)


@pytest.fixture
def late(early: DreamSettings) -> DreamSettings:
    return early.replace(layers=(("_blocks.9", 1.0),))


def test_each_sheet_dreams_of_its_own(tmp_path: Path, brain: Brain, early: DreamSettings, late: DreamSettings) -> None:
    region = Region((grey(0), grey(1)), late)
    mixed = dreamt(tmp_path, brain, early, region)
    pure = [dreamt(tmp_path, brain, wish) for wish in (early, late)]
    # what is seen beside it differs, so no part is quite what it is where all dream the same
    for sheet, own in ((0, 0), (1, 1)):
        assert likeness(mixed[sheet], pure[own][sheet]) > 0.6
        assert likeness(mixed[sheet], pure[1 - own][sheet]) < 0.4
    strengths = [float(np.abs(pixels - 0.3).mean()) for pixels in mixed]
    assert 0.5 < strengths[0] / strengths[1] < 2, "regions are equally strong"


def test_a_region_that_is_nowhere_changes_nothing(
    tmp_path: Path, brain: Brain, early: DreamSettings, late: DreamSettings
) -> None:
    nowhere = Region((grey(0), grey(0)), late)
    for pixels, same in zip(dreamt(tmp_path, brain, early, nowhere), dreamt(tmp_path, brain, early), strict=True):
        assert np.allclose(pixels, same, atol=1e-5)


def test_regions_share_where_they_overlap(tmp_path: Path, brain: Brain, early: DreamSettings) -> None:
    twice = [Region((grey(1), grey(1)), early), Region((grey(1), grey(0)), early)]
    for pixels, same in zip(dreamt(tmp_path, brain, early, *twice), dreamt(tmp_path, brain, early), strict=True):
        assert 0.8 < np.abs(pixels - 0.3).mean() / np.abs(same - 0.3).mean() < 1.25
        assert likeness(pixels, same) > 0.6


def test_regions_lie_within_the_masks(tmp_path: Path, brain: Brain, early: DreamSettings, late: DreamSettings) -> None:
    masked = [Sheet(sheet.image, sheet.side, grey(1, top=0)) for sheet in sheets()]
    for pixels in dreamt(tmp_path, brain, early, Region((grey(1), grey(1)), late), on=masked):
        assert np.allclose(pixels[:28], 0.3, atol=1e-4)
        assert pixels[36:].std() > 0.005


def test_a_region_has_a_guide_of_its_own(tmp_path: Path, brain: Brain, early: DreamSettings) -> None:
    guided, noise = early.replace(objective="guide-dot"), np.random.default_rng(0)
    one, other = (Image(noise.random((64, 64, 3), np.float32)) for _ in range(2))
    first, second = (
        dreamt(tmp_path, brain, early, Region((grey(0), grey(1)), guided, guide)) for guide in (one, other)
    )
    assert likeness(first[0], second[0]) > likeness(first[1], second[1])


def test_bad_regions(tmp_path: Path, brain: Brain, early: DreamSettings) -> None:
    with pytest.raises(ImageError, match="square"):
        Region((Image(np.zeros((8, 9, 1), np.float32)),), early)
    for wish, error in (
        (early.replace(objective="guide-dot"), SettingsError),
        (early.replace(layers=(("nobody::fire9", 1.0),)), UnknownBrainError),
    ):
        with pytest.raises(error):
            dreamt(tmp_path, brain, early, Region((grey(1), grey(1)), wish))
