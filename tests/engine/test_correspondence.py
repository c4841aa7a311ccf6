# SPDX-License-Identifier: GPL-3.0-or-later
import math

import numpy as np
import pytest
import torch

from blender_deepdream.engine.correspondence import FEATHER, Vectors, by_flow, by_vectors, places
from blender_deepdream.protocol.errors import ImageError

HEIGHT, WIDTH = 40, 60


def flat(depth: float) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), depth, np.float32)


def moving(x: float, y: float, depth: float | np.ndarray = 5.0) -> Vectors:
    """A frame in which everything moves by x and y (pixels, y up) from frame to frame, as Blender writes it."""
    motion = np.empty((HEIGHT, WIDTH, 4), np.float32)
    motion[:] = (-x, -y, -x, -y)
    return Vectors(motion, depth if isinstance(depth, np.ndarray) else flat(depth))


def inner(plane: torch.Tensor, by: int = 12) -> torch.Tensor:
    return plane[..., by:-by, by:-by]


def test_a_surface_is_found_where_it_came_from():
    motion = by_vectors(moving(3, 2), moving(3, 2))
    # moved to the right and up: it was further left and, with rows from the top, further down
    expected = torch.tensor([-3.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, HEIGHT, WIDTH)
    assert torch.equal(motion.source - places(motion.source), expected)
    assert inner(motion.trust).eq(1).all()


def test_backwards_the_other_halves_count():
    motion = by_vectors(moving(3, 2), moving(3, 2), backwards=True)
    assert (motion.source - places(motion.source))[0, :, 20, 30].tolist() == [3, -2]
    assert inner(motion.trust).eq(1).all()


def test_what_comes_in_at_the_border_is_not_trusted():
    trust = by_vectors(moving(5, 0), moving(5, 0)).trust[0, 0]
    assert trust[:, :5].eq(0).all()
    assert trust[:, 5 + FEATHER : -1].min() > 0
    rows = trust[20, 5:20]
    assert (rows[1:] >= rows[:-1]).all(), "trust fades in"


def test_what_was_hidden_is_not_trusted():
    """A box that moves to the right over a ground that stands still: at its left the ground comes into view."""
    before, now = moving(0, 0, flat(9)), moving(0, 0, flat(9))
    for frame, left in ((before, 20), (now, 26)):
        frame.motion[10:30, left : left + 15] = (-6, 0, -6, 0)
        assert frame.depth is not None
        frame.depth[10:30, left : left + 15] = 4
    trust = by_vectors(now, before).trust[0, 0]
    assert trust[12:28, 20:26].eq(0).all()
    assert trust[19:21, 32:35].eq(1).all(), "the box itself is carried"
    assert trust[2:5, 2:57].min() == 1, "and so is the ground elsewhere"


def test_another_surface_at_another_distance_is_not_trusted():
    beyond = flat(5)
    beyond[:, 30:] = 8
    trust = by_vectors(moving(0, 0, 5), moving(0, 0, beyond)).trust[0, 0]
    assert trust[:, 30:].eq(0).all()
    assert trust[20, 15] == 1


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 1e10, -1e10])
@pytest.mark.parametrize("which", ["now", "before"])
def test_damaged_vectors_are_not_trusted_and_hurt_nobody(wrong, which):
    frames = {"now": moving(1, 0), "before": moving(1, 0)}
    frames[which].motion[15:25, 20:30] = wrong
    motion = by_vectors(frames["now"], frames["before"])
    assert torch.isfinite(motion.source).all()
    assert motion.trust[0, 0, 16:24, 22:28].eq(0).all()
    assert motion.trust[0, 0, 20, 50] == 1


def test_the_background_turns_with_the_camera():
    """A camera that turns to the right: what is far away goes to the left by a tenth of the width."""
    far = moving(0, 0, 1e10)
    turn = (1, 0, 0.1, 0, 1, 0, 0, 0, 1)
    motion = by_vectors(far, far, turn)
    way = motion.source - places(motion.source)
    assert way[0, 0].sub(WIDTH / 10).abs().max() < 1e-3
    assert way[0, 1].abs().max() < 1e-3
    assert motion.trust[0, 0, 20, 30] == 1
    assert motion.trust[0, 0, 20, -3] == 0, "it was outside"


def test_surfaces_keep_their_vectors_when_the_camera_turns():
    motion = by_vectors(moving(3, 2), moving(3, 2), (1, 0, 0.1, 0, 1, 0, 0, 0, 1))
    assert (motion.source - places(motion.source))[0, :, 20, 30].tolist() == [-3, 2]


def test_frames_of_different_sizes_are_refused():
    small = Vectors(np.zeros((20, 30, 4), np.float32), np.ones((20, 30), np.float32))
    with pytest.raises(ImageError, match="different sizes"):
        by_vectors(moving(0, 0), small)
    with pytest.raises(ImageError, match="different sizes"):
        by_flow(torch.zeros(1, 3, 40, 60), torch.zeros(1, 3, 20, 30))


def test_without_vectors_the_motion_is_guessed():
    numbers = torch.Generator().manual_seed(1)
    noise = torch.rand(1, 3, 24, 34, generator=numbers)
    picture = torch.nn.functional.interpolate(noise, size=(96, 136), mode="bicubic").clamp(0, 1)
    before, now = picture[..., :90, :130], picture[..., 3:93, 5:135]
    motion = by_flow(now, before)
    way = inner(motion.source - places(motion.source), 16)
    assert way[0, 0].median() == pytest.approx(5, abs=0.3)
    assert way[0, 1].median() == pytest.approx(3, abs=0.3)
    assert inner(motion.trust, 16).mean() > 0.8
