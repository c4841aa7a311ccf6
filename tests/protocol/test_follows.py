# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from blender_deepdream.protocol.errors import RequestError
from blender_deepdream.protocol.follows import Follows


@pytest.mark.parametrize(
    "wrong",
    [
        {"motion": "0" * 64},
        {"backwards": "yes"},
        {"turn": [1, 0, 0]},
        {"turn": [0] * 9},
        {"turn": [1e300, 0, 0, 0, 1, 0, 0, 0, 1]},
        {"turn": ["a"] * 9},
        {"more": 1},
        {"detail": "../x"},
    ],
)
def test_bad_chains_are_refused(wrong: dict[str, object]) -> None:
    good = Follows("0" * 64, "1" * 64, turn=(1, 0, 0.1, 0, 1, 0, 0, 0, 1))
    assert Follows.from_json(good.to_json()) == good
    with pytest.raises(RequestError):
        Follows.from_json(good.to_json() | wrong)
