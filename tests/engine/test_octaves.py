# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from blender_deepdream.engine.octaves import (
    MARGIN,
    NO_WRAP,
    Size,
    Wrap,
    crop,
    extend,
    octave_sizes,
    resize,
    resize_picture,
    with_margin,
    without_margin,
)


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


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 20), st.booleans(), st.booleans())
def test_an_image_goes_on_mirrored_or_wrapped(height, width, more, rows, columns):
    source = image(height, width)
    canvas = extend(source, Size(more, 3), Wrap(rows, columns))
    assert torch.equal(crop(canvas, Size(more, 3)), source)
    below, right = canvas[..., more + height :, 3:-3], canvas[..., more : more + height, 3 + width]
    if more:
        assert torch.equal(below[..., 0, :], source[..., 0 if rows else -1, :])
    assert torch.equal(right, source[..., 0 if columns else -1])


def test_a_margin_comes_off_again_and_wrapped_sides_have_none():
    for wrap in (NO_WRAP, Wrap(False, True), Wrap(True, True)):
        framed = with_margin(image(), wrap)
        assert framed.shape == (1, 3, 6 + 2 * MARGIN * (not wrap.rows), 9 + 2 * MARGIN * (not wrap.columns))
        assert torch.equal(without_margin(framed, wrap), image())


@pytest.mark.parametrize("size", [Size(33, 47), Size(90, 140), Size(1, 1)])
def test_resizing_knows_the_other_side(size):
    """Rolled by half and resized, or resized and rolled: the same picture wherever it is cut."""
    wave = torch.sin(torch.arange(64) * torch.pi / 16)
    source = (wave[:, None] * wave).expand(1, 3, 64, 64)
    resized = resize(source, size, Wrap(True, True))
    assert resized.shape[-2:] == size
    places = [((torch.arange(length) + 0.5) * 64 / length - 0.5) * torch.pi / 16 for length in size]
    if min(size) > 1:
        expected = torch.outer(*map(torch.sin, places)).expand_as(resized)
        torch.testing.assert_close(resized, expected, atol=0.03, rtol=0)


def test_a_picture_stays_in_its_range():
    edge = (torch.arange(12) > 5).float().expand(1, 1, 12, 12)
    assert resize(edge, Size(30, 30)).max() > 1
    assert resize_picture(edge, Size(30, 30)).max() == 1
    assert resize_picture(edge, Size(12, 12)) is edge
