# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights under the textures of a wall that bends about its middle, lit from the right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.steps import finish, follow
from blender_deepdream.engine.surface.ground import Ground, read_ground
from blender_deepdream.engine.surface.relief import dream_relief
from blender_deepdream.engine.surface.sheets import Sheet
from blender_deepdream.engine.surface.views import View, read_view
from blender_deepdream.protocol.messages import ColorSpace, Progress
from blender_deepdream.protocol.settings import DreamSettings

from . import walls
from .test_dream import CPU, sheets
from .test_regions import grey
from .walls import SIDE, write_view


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory) -> tuple[View, Ground]:
    dark, light, facts = write_view(tmp_path_factory.mktemp("wall"), bent=True)
    view = read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=2, device=CPU)
    return view, read_ground(facts, view)


def carved(lit: tuple[View, Ground], brain: Brain, settings: DreamSettings, depth: float = 1.0) -> list[np.ndarray]:
    view, ground = lit
    return [image.pixels for image in finish(dream_relief([view], [ground], sheets(), brain, settings, depth))]


def test_the_light_is_found(lit: tuple[View, Ground]) -> None:
    view, ground = lit
    found, light = (ground.base + ground.along)[ground.known], view.light.mean(0)[ground.known]
    assert float((found - light).abs().mean()) < 0.02
    assert ground.pixel == pytest.approx(1 / SIDE, rel=0.01)


def test_what_leans_towards_the_light_is_lighter(lit: tuple[View, Ground]) -> None:
    _, ground = lit
    across = torch.linspace(0, 0.2, SIDE).expand(SIDE, SIDE)
    inside = ground.known.clone()
    inside[:, SIDE // 2 - 3 : SIDE // 2 + 3] = False
    away, towards, flat = (ground.lit(heights)[inside] for heights in (across, -across, 0 * across + 0.3))
    assert float(away.max()) < 1 < float(towards.min())
    assert torch.allclose(flat, torch.ones(()), atol=1e-5), "a height is nothing, a slope is"


def test_a_relief_dreams_and_the_same_seed_gives_the_same_bits(
    lit: tuple[View, Ground], brain: Brain, quick: DreamSettings
) -> None:
    first, again = (carved(lit, brain, quick) for _ in range(2))
    for height, same in zip(first, again, strict=True):
        assert height.shape == (64, 64, 1)
        assert np.array_equal(height, same)
        assert height.std() > 0.1 / SIDE
    assert not np.array_equal(carved(lit, brain, quick.replace(seed=1))[0], first[0])


def test_several_threads_come_to_the_same_bits(
    tmp_path: Path, brain: Brain, quick: DreamSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walls, "SIDE", 128)  # below that torch has one thread do it all
    dark, light, facts = write_view(tmp_path, facts_side=128, bent=True)
    view = read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=2, device=CPU)
    large, settings = (view, read_ground(facts, view)), quick.replace(octaves=1, steps=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first, *others = (carved(large, brain, settings)[0] for _ in range(3))
    finally:
        torch.set_num_threads(threads)
    assert all(np.array_equal(first, other) for other in others)


def test_highlights_roll_off_as_for_colors(lit: tuple[View, Ground], brain: Brain, quick: DreamSettings) -> None:
    bright = quick.replace(exposure=4.0)
    clipped, rolled = (carved(lit, brain, bright.replace(highlights=how))[0] for how in ("clip", "roll-off"))
    assert not np.array_equal(clipped, rolled)


def test_depth_says_how_deep(lit: tuple[View, Ground], brain: Brain, quick: DreamSettings) -> None:
    shallow, deep = (carved(lit, brain, quick, depth)[0].std() for depth in (0.25, 1.0))
    assert 2 < deep / shallow < 6


def test_the_objective_grows(lit: tuple[View, Ground], brain: Brain, quick: DreamSettings) -> None:
    view, ground = lit
    told: list[Progress] = []
    settings = quick.replace(octaves=1, steps=8, step_size=0.03, jitter=0)
    follow(dream_relief([view], [ground], sheets(), brain, settings, 1.0), told.append)
    values = [progress.value for progress in told if progress.value]
    assert values[-1] > 1.1 * values[0]


def test_what_is_masked_stays_flat(lit: tuple[View, Ground], brain: Brain, quick: DreamSettings) -> None:
    view, ground = lit
    masked = [Sheet(sheet.image, sheet.side, grey(1, top=0)) for sheet in sheets()]
    for image in finish(dream_relief([view], [ground], masked, brain, quick, 1.0)):
        assert np.abs(image.pixels[:26]).max() < 1e-4
        assert image.pixels[36:].std() > 0.05 / SIDE


def test_numbers_that_are_none_are_harmless(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    dark, light, facts = write_view(tmp_path, damaged=True)
    view = read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=2, device=CPU)
    blind = Image(np.full((16, 16, 3), 0.3, np.float32))
    heights = dream_relief([view], [read_ground(facts, view)], [Sheet(blind, 64)] * 2, brain, quick, 1.0)
    assert all(np.isfinite(image.pixels).all() for image in finish(heights))
