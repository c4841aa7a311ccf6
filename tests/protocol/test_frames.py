# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from blender_deepdream.protocol.errors import FrameRangeError
from blender_deepdream.protocol.frames import frame_after, frame_before, parse_frames


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", [7]),
        ("1-4", [1, 2, 3, 4]),
        ("1-3,12,20-26x3", [1, 2, 3, 12, 20, 23, 26]),
        ("5,1-3, 2", [1, 2, 3, 5]),
        ("0", [0]),
        ("3-3", [3]),
    ],
)
def test_lists(text: str, frames: list[int]) -> None:
    assert parse_frames(text) == frames


@pytest.mark.parametrize(
    "text", ["", "x", "1-", "-3", "8-1", "1-4x0", "1,,2", "1.5", "1-99999999999", "1048575", "1-4x", "\u0661"]
)
def test_lists_that_are_none(text: str) -> None:
    with pytest.raises(FrameRangeError):
        parse_frames(text)


@pytest.mark.parametrize(
    ("frame", "frames", "step", "before", "after"),
    [
        (5, [3, 4, 5, 6], 1, 4, 6),
        (3, [3, 4], 1, 2, 4),
        (4, [3, 4], 1, 3, 5),
        (1, [1, 3, 5], 1, -1, 3),
        (7, [7], 2, 5, 9),
        (1, [1, 100], 1, 0, 100),
        (12, [3, 10, 20], 1, 10, 20),
    ],
)
def test_neighbours_in_a_run(frame, frames, step, before, after):
    assert frame_before(frame, frames, step) == before
    assert frame_after(frame, frames, step) == after
