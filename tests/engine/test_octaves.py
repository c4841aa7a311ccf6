# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from blender_deepdream.engine.octaves import MARGIN, Size, octave_sizes, reflect, resize, with_margin, without_margin


def image(height: int = 6, width: int = 9) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_octaves_grow_to_the_full_size():
    assert octave_sizes(Size(270, 480), 4, 1.4) == ((98, 175), (138, 245), (193, 343), (270, 480))


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 16), st.floats(1.05, 4))
def test_octaves_end_at_the_image_and_never_vanish(height, width, octaves, scale):
    sizes = octave_sizes(Size(height, width), octaves, scale)
    assert sizes[-1] == (height, width)
    assert len(set(sizes)) == len(sizes) <= octaves
    assert all(min(size) >= 1 for size in sizes)
    assert [size.pixels for size in sizes] == sorted(size.pixels for size in sizes)


def test_an_image_at_its_own_size_is_itself():
    source = image()
    assert resize(source, Size(6, 9)) is source


def test_resizing_keeps_the_mean():
    assert resize(image(64, 64), Size(20, 31)).mean() == pytest.approx(image(64, 64).mean().item(), abs=0.01)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 20), st.integers(0, 20))
def test_reflection_has_the_image_in_its_place_and_mirrors_around(height, width, top, left):
    source = image(height, width)
    canvas = reflect(source, Size(height + top + 9, width + left + 9), top, left)
    assert torch.equal(canvas[..., top : top + height, left : left + width], source)
    assert torch.equal(canvas[..., top + height, :], canvas[..., top + height - 1, :])
    if top:
        assert torch.equal(canvas[..., top - 1, :], canvas[..., top, :])


def test_a_margin_comes_off_again():
    framed = with_margin(image())
    assert framed.shape == (1, 3, 6 + 2 * MARGIN, 9 + 2 * MARGIN)
    assert torch.equal(without_margin(framed), image())
