# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from blender_deepdream.engine.masks import dream_mask
from blender_deepdream.protocol.errors import ImageError

CPU = torch.device("cpu")
ALL = np.ones((3, 4), np.bool_)


def test_no_mask_is_everything_that_can_dream():
    dreamable = ALL.copy()
    dreamable[1, 2] = False
    assert torch.equal(dream_mask(None, dreamable, CPU)[0, 0], torch.from_numpy(dreamable).float())


def test_a_mask_never_dreams_where_there_is_no_color():
    assert not dream_mask(np.ones((3, 4), np.float32), ~ALL, CPU).any()


def test_values_outside_are_clipped_and_nan_is_nothing():
    mask = np.array([[np.nan, -1, 0.5, np.inf]] * 3, np.float32)
    assert dream_mask(mask, ALL, CPU)[0, 0, 0].tolist() == [0, 0, 0.5, 1]


def test_a_small_mask_is_stretched_within_its_range():
    stretched = dream_mask(np.eye(2, dtype=np.float32), np.ones((50, 70), np.bool_), CPU)
    assert stretched.shape == (1, 1, 50, 70)
    assert stretched.min() == 0
    assert stretched.max() == 1
    assert stretched[0, 0, 0, 0] == stretched[0, 0, -1, -1] == 1
    assert stretched[0, 0, 0, -1] == 0


@pytest.mark.parametrize("shape", [(3, 4, 1), (4,), (0, 4)])
def test_what_is_no_mask_is_refused(shape):
    with pytest.raises(ImageError, match="grey"):
        dream_mask(np.ones(shape, np.float32), ALL, CPU)
