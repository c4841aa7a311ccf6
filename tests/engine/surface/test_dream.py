# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures that dream: two cameras look at a wall whose left half is one sheet and whose right half is another."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.steps import finish, follow
from blender_deepdream.engine.surface.dream import dream_surface
from blender_deepdream.engine.surface.sheets import Dreamt, Sheet
from blender_deepdream.engine.surface.standing import Keeper
from blender_deepdream.engine.surface.textures import Spots
from blender_deepdream.engine.surface.views import BACKGROUND, Second, View, read_view
from blender_deepdream.protocol.errors import ImageError
from blender_deepdream.protocol.messages import ColorSpace, Progress
from blender_deepdream.protocol.settings import DreamSettings

from ..exr_files import write_channels
from .walls import SIDE, write_view

CPU = torch.device("cpu")


def wall(folder: Path, number: int = 0, **changes: Any) -> View:
    dark, light, facts = write_view(folder, number, **changes)
    return read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=2, device=CPU)


def sheets(side: int = 64) -> list[Sheet]:
    grey = np.full((16, 16, 4), 0.3, np.float32)
    grey[..., 3] = 1
    return [Sheet(Image(grey), side), Sheet(Image(grey), side)]


def dreamt(views: list[View], brain: Brain, settings: DreamSettings) -> Dreamt:
    return finish(dream_surface(views, sheets(), brain, settings))


def test_what_is_seen_dreams_and_the_same_seed_gives_the_same_bits(
    tmp_path: Path, brain: Brain, quick: DreamSettings
) -> None:
    views = [wall(tmp_path)]
    first, again = (dreamt(views, brain, quick) for _ in range(2))
    assert [image.size for image in first.images] == [(64, 64), (64, 64)]
    assert first.coverage > 0.95
    for image, same in zip(first.images, again.images, strict=True):
        assert np.array_equal(image.pixels, same.pixels)
        assert image.pixels.std() > 0.005
    other = dreamt(views, brain, quick.replace(seed=1))
    assert not np.array_equal(other.images[0].pixels, first.images[0].pixels)


def test_strength_0_gives_the_textures_back(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    result = dreamt([wall(tmp_path)], brain, quick.replace(strength=0.0))
    assert all(np.allclose(image.pixels, 0.3, atol=1e-5) for image in result.images)


def test_what_is_masked_stays_as_it_is(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    mask = np.zeros((64, 64, 1), np.float32)
    mask[:, 40:] = 1
    masked = [Sheet(sheet.image, sheet.side, Image(mask)) for sheet in sheets()]
    result = finish(dream_surface([wall(tmp_path)], masked, brain, quick))
    for image in result.images:
        assert np.allclose(image.pixels[:, :36], 0.3, atol=1e-4)
        assert image.pixels[:, 44:].std() > 0.005


def test_what_no_view_sees_is_filled_in_and_told(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    result = dreamt([wall(tmp_path, seen=0.5)], brain, quick)
    assert 0.3 < result.coverage < 0.7
    for image in result.images:
        assert np.isfinite(image.pixels).all()


def test_the_objective_grows(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    views = [wall(tmp_path), wall(tmp_path, 1)]
    values = [p.value for p in dream_surface(views, sheets(), brain, quick.replace(octaves=1, steps=6)) if p.value]
    assert values[-1] > 1.2 * values[0]


def test_where_no_light_falls_the_picture_stays_black(tmp_path: Path) -> None:
    view = wall(tmp_path, light=0.0)
    assert float(view.light.max()) == 0


def test_what_lies_behind_is_seen_where_the_surfaces_leave_room(tmp_path: Path) -> None:
    dark, light, facts = write_view(tmp_path, alpha=0.0)
    blue = np.zeros((SIDE, SIDE, 4), np.float32)
    blue[..., 2:] = 0.7
    behind = tmp_path / "behind.exr"
    write_image(Image(blue), behind)
    seen: dict[str, Any] = {"sheets": 2, "device": CPU}
    place = (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709
    real, neutral = (read_view(dark, light, facts, *place, **seen, behind=one) for one in (behind, None))
    assert real.dark[:, 2, 2].tolist() == pytest.approx([0, 0, 0.7])
    assert neutral.dark[:, 2, 2].tolist() == pytest.approx([BACKGROUND] * 3)
    assert torch.equal(real.dark[:, SIDE // 2 + 4 :], neutral.dark[:, SIDE // 2 + 4 :])
    write_image(Image(blue[1:, 1:]), behind)
    with pytest.raises(ImageError, match="differ in size"):
        read_view(dark, light, facts, *place, **seen, behind=behind)


def test_views_that_see_nothing_are_left_out(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    view = wall(tmp_path)
    blind = dataclasses.replace(
        view,
        covered=torch.zeros_like(view.covered),
        pixels=view.pixels[:0],
        spots=Spots(view.spots.sheet[:0], view.spots.place[:0]),
        weight=view.weight[:0],
        second=Second(view.second.number[:0], Spots(view.second.spots.sheet[:0], view.second.spots.place[:0])),
    )
    one, other = (dreamt(views, brain, quick) for views in ([view], [blind, view]))
    assert np.array_equal(one.images[0].pixels, other.images[0].pixels)
    with pytest.raises(ImageError, match="No view sees anything"):
        dreamt([blind], brain, quick)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sheets": 3}, "there are 2"),
        ({"drop": "UV"}, "no UV pass"),
        ({"facts_side": SIDE // 2}, "differ in size"),
    ],
)
def test_bad_views(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ImageError, match=words):
        wall(tmp_path, **changes)


def test_views_are_square(tmp_path: Path) -> None:
    dark, light, facts = (tmp_path / f"{name}.exr" for name in ("dark", "light", "facts"))
    for path in (dark, light):
        write_image(Image(np.ones((SIDE // 2, SIDE, 4), np.float32)), path)
    passes = ("UV.U", "UV.V", *(f"{name}.{axis}" for name in ("Normal", "Position") for axis in "XYZ"), "IndexMA.X")
    write_channels(facts, {f"ViewLayer.{name}": np.zeros((SIDE // 2, SIDE), np.float32) for name in passes})
    with pytest.raises(ImageError, match="must be square"):
        read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=2, device=CPU)


def test_numbers_that_are_none_are_harmless(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    result = dreamt([wall(tmp_path, damaged=True)], brain, quick)
    assert all(np.isfinite(image.pixels).all() for image in result.images)


def test_a_dream_that_was_killed_goes_on_and_ends_with_the_same_bits(
    tmp_path: Path, brain: Brain, quick: DreamSettings
) -> None:
    views, settings = [wall(tmp_path), wall(tmp_path, 1)], quick.replace(octaves=2, steps=3, jitter=16)
    whole = dreamt(views, brain, settings)
    for share in (0.1, 0.6):
        kept = tmp_path / "kept.safetensors"
        steps = dream_surface(views, sheets(), brain, settings, keeper=Keeper(kept, seconds=0, share=math.inf))
        while next(steps).fraction < share:
            pass
        steps.close()
        assert kept.is_file()
        told: list[Progress] = []
        again = follow(
            dream_surface(views, sheets(), brain, settings, keeper=Keeper(kept, seconds=0, share=math.inf)), told.append
        )
        assert told[0].fraction > share / 2, "it does not begin anew"
        for image, same in zip(whole.images, again.images, strict=True):
            assert np.array_equal(image.pixels, same.pixels)
        kept.unlink()


def test_a_damaged_stand_begins_anew(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    kept = tmp_path / "kept.safetensors"
    kept.write_bytes(b"nothing of use")
    steps = dream_surface([wall(tmp_path)], sheets(), brain, quick, keeper=Keeper(kept))
    assert finish(steps).coverage > 0.95
