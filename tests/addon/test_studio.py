# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras see all of their subject, lights fall on it, and the same seed takes the same pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blender_deepdream.addon.studio import SENSOR, Cameras, Framing, Picture, frame, take_picture

ANYWHERE = Cameras(-math.pi / 2, math.pi / 2, even=False, steps=0)
BOX = np.array([(x, y, z) for x in (-3, 3) for y in (-0.1, 0.1) for z in (-1, 1)])


def on_film(framing: Framing, lens: float, points: np.ndarray) -> np.ndarray:
    """Where points lie in the picture: -0.5 to 0.5 in each direction, and how far away they are."""
    x, y, z = ((points - framing.place) @ framing.axes.T).T
    return np.stack([x / -z * lens / SENSOR - framing.shift[0], y / -z * lens / SENSOR - framing.shift[1], -z], 1)


@pytest.mark.parametrize("scale", [1e-3, 1, 1e5])
def test_every_picture_holds_all_of_the_subject(scale: float) -> None:
    for number in range(60):
        picture = take_picture(7, "box", number, ANYWHERE)
        framing = frame(picture, BOX * scale)
        seen = on_film(framing, picture.lens, BOX * scale)
        assert np.abs(seen[:, :2]).max() <= 0.5 + 1e-9
        assert framing.near < seen[:, 2].min() < seen[:, 2].max() < framing.far
        assert np.ptp(seen[:, :2], axis=0).max() > 0.35, "it is not lost in its picture"


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.array([(0.0, 0, -1), (0, 0, 1)]), BOX * (1, 0, 1)])
def test_what_has_no_volume_can_be_framed(points: np.ndarray) -> None:
    for height in (-math.pi / 2, 0, math.pi / 2):
        picture = take_picture(0, "flat", 0, Cameras(height, height, even=False, steps=0))
        framing = frame(picture, points)
        assert np.isfinite(framing.place).all()
        assert 0 < framing.near < framing.far


def test_cameras_keep_to_their_heights_and_are_everywhere_between() -> None:
    low, high = 0.2, 1.1
    directions = [
        take_picture(0, "a", number, Cameras(low, high, even=False, steps=0)).direction for number in range(400)
    ]
    heights = np.arcsin([direction[2] for direction in directions])
    assert low <= heights.min() < low + 0.05
    assert high - 0.05 < heights.max() <= high
    quarters = {(direction[0] > 0, direction[1] > 0) for direction in directions}
    assert len(quarters) == 4


def test_a_turntable_goes_round_in_even_steps_from_the_front() -> None:
    table = Cameras(0.0, 0.6, even=True, steps=8)
    pictures = [take_picture(0, "a", number, table) for number in range(8)]
    assert pictures[0].direction == pytest.approx((0, -math.cos(0.3), math.sin(0.3)))
    turns = np.unwrap([math.atan2(picture.direction[1], picture.direction[0]) for picture in pictures])
    assert np.diff(turns) == pytest.approx([math.tau / 8] * 7)
    assert {(picture.roll, picture.lens, picture.slack) for picture in pictures} == {(0.0, 50.0, pictures[0].slack)}


def test_the_key_light_comes_from_the_cameras_side() -> None:
    for number in range(50):
        picture = take_picture(3, "a", number, Cameras(0.0, 0.1, even=False, steps=0))
        key, *fills = picture.lights
        assert key.direction @ picture.direction > -0.9
        assert np.linalg.norm(key.direction) == pytest.approx(1)
        assert len(fills) <= 2
        assert all(fill.strength < key.strength for fill in fills)
    assert {len(take_picture(3, "a", number, ANYWHERE).lights) for number in range(50)} == {1, 2, 3}


def plain(picture: Picture) -> str:
    return repr(picture)


def test_the_seed_decides_and_each_picture_by_itself() -> None:
    assert plain(take_picture(1, "a", 5, ANYWHERE)) == plain(take_picture(1, "a", 5, ANYWHERE))
    others = [
        take_picture(2, "a", 5, ANYWHERE),
        take_picture(1, "b", 5, ANYWHERE),
        take_picture(1, "ä", 5, ANYWHERE),
        take_picture(1, "a", 6, ANYWHERE),
    ]
    assert len({plain(picture) for picture in [*others, take_picture(1, "a", 5, ANYWHERE)]}) == 5
