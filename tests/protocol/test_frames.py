# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from blender_deepdream.protocol.errors import FrameRangeError
from blender_deepdream.protocol.frames import parse_frames


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
