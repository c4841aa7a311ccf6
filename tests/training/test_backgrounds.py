# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import torch

from blender_deepdream.training.backgrounds import draw, paint, put_behind


def test_grounds_are_plain_or_run_or_are_clouds_and_all_differ():
    grounds = paint(draw(300, np.random.default_rng(0)), 32, torch.device("cpu"))
    assert grounds.shape == (300, 3, 32, 32)
    assert 0 <= grounds.min() <= grounds.max() <= 1
    spread = grounds.std((2, 3)).amax(1)
    plain = spread < 1e-5
    assert 0.2 < plain.float().mean() < 0.45
    assert len({tuple(color.tolist()) for color in grounds.mean((2, 3))}) == 300


def test_grounds_of_some_are_those_of_all():
    grounds = draw(6, np.random.default_rng(0))
    together = paint(grounds, 24, torch.device("cpu"))
    assert torch.equal(paint(grounds.part(slice(2, 5)), 24, torch.device("cpu")), together[2:5])


def test_what_is_transparent_shows_the_ground():
    picture = torch.zeros(1, 4, 2, 2)
    picture[0, :, 0] = torch.tensor([1.0, 0, 0, 1])[:, None]  # opaque red above, nothing below
    ground = torch.full((1, 3, 2, 2), 0.25)
    shown = put_behind(picture, ground)
    assert shown[0, :, 0, 0].tolist() == [1, 0, 0]
    assert shown[0, :, 1, 0].tolist() == [0.25] * 3


def test_half_transparent_glass_lets_half_through():
    glass = torch.tensor([0.5, 0, 0, 0.5]).view(1, 4, 1, 1)
    assert put_behind(glass, torch.ones(1, 3, 1, 1)).flatten().tolist() == [1, 0.5, 0.5]
