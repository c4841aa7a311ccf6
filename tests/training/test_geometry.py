# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
import torch

from blender_deepdream.training.geometry import Boxes, article_boxes, cut_out, middle_boxes, usual_boxes

MANY = 4000


def box(left: float, top: float, width: float, height: float, mirrored: bool = False) -> Boxes:
    return Boxes._make(np.array([value]) for value in (left, top, width, height, mirrored))


@pytest.fixture
def map_of_places() -> torch.Tensor:
    """1x2x64x64: at each pixel its own place, across and down, 0 to 1."""
    along = (torch.arange(64) + 0.5) / 64
    return torch.stack([along.expand(64, 64), along[:, None].expand(64, 64)])[None]


@pytest.mark.parametrize("aspect", [1.0, 0.5, 3.0])
def test_usual_boxes_are_most_of_a_picture_nearly_in_its_proportions(aspect: float):
    boxes = usual_boxes(np.full(MANY, aspect), np.random.default_rng(0))
    area = boxes.width * boxes.height
    proportion = aspect * boxes.width / boxes.height
    assert boxes.width.max() <= 1
    assert boxes.height.max() <= 1
    assert area.min() >= (0.35 if aspect == 1 else 0.2)
    assert proportion.min() == pytest.approx(3 / 4, rel=0.01)
    assert proportion.max() == pytest.approx(4 / 3, rel=0.01)


def test_the_articles_boxes_take_a_quarter_to_three_quarters_of_each_side():
    boxes = article_boxes(np.ones(MANY), np.random.default_rng(0))
    for side in (boxes.width, boxes.height):
        assert side.min() == pytest.approx(0.25, abs=0.01)
        assert side.max() == pytest.approx(0.75, abs=0.01)
    assert (boxes.width / boxes.height).max() > 2.5


@pytest.mark.parametrize("draw", [usual_boxes, article_boxes])
def test_boxes_lie_all_over_the_picture_and_within_it(draw):
    boxes = draw(np.ones(MANY), np.random.default_rng(0))
    for start, length in ((boxes.left, boxes.width), (boxes.top, boxes.height)):
        assert start.min() >= 0
        assert (start + length).max() <= 1 + 1e-9
        assert (start + length / 2).mean() == pytest.approx(0.5, abs=0.02)
    assert boxes.mirrored.mean() == pytest.approx(0.5, abs=0.05)


def test_middles_are_squares_of_the_picture():
    boxes = middle_boxes(np.array([2.0, 0.5, 1.0]))
    assert boxes.width.tolist() == [0.5, 1, 1]
    assert boxes.height.tolist() == [1, 0.5, 1]
    assert boxes.left.tolist() == [0.25, 0, 0]
    assert boxes.top.tolist() == [0, 0.25, 0]


def test_what_is_cut_out_is_the_box(map_of_places: torch.Tensor):
    across, down = cut_out(map_of_places, box(0.25, 0.5, 0.5, 0.25), 16)[0]
    wanted = torch.lerp(torch.tensor(0.25), torch.tensor(0.75), (torch.arange(16) + 0.5) / 16)
    assert torch.allclose(across, wanted.expand(16, 16), atol=1e-3)
    assert torch.allclose(down[:, 0], wanted / 2 + 0.375, atol=1e-3)


def test_a_mirrored_box_is_mirrored(map_of_places: torch.Tensor):
    plain, mirrored = (cut_out(map_of_places, box(0.1, 0.2, 0.6, 0.6, flip), 20) for flip in (False, True))
    assert torch.allclose(plain.flip(3), mirrored, atol=1e-5)


def test_the_whole_at_its_own_size_is_the_picture(map_of_places: torch.Tensor):
    assert torch.allclose(cut_out(map_of_places, box(0, 0, 1, 1), 64), map_of_places, atol=1e-5)
