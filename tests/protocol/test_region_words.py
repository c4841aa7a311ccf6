# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from blender_deepdream.protocol.errors import DeepDreamError
from blender_deepdream.protocol.messages import Region
from blender_deepdream.protocol.region_words import parse_regions
from blender_deepdream.protocol.regions import MAX_REGIONS


def test_regions_as_they_are_typed() -> None:
    typed = [
        ["sky.png", "_blocks.4=2,_blocks.9"],
        ["sea.png", "-", "guide=flower.jpg"],
        ["sun.png", "_blocks.1", "objective=mean"],
    ]
    assert parse_regions(typed) == (
        Region("sky.png", (("_blocks.4", 2.0), ("_blocks.9", 1.0))),
        Region("sea.png", (), "guide-dot", "flower.jpg"),
        Region("sun.png", (("_blocks.1", 1.0),), "mean"),
    )


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ([["sky.png"]], "a mask and layers"),
        ([["sky.png", "-", "colour=red"]], "cannot be told"),
        ([["sky.png", "-", "guide"]], "cannot be told"),
        ([["sky.png", "-", "guide="]], "cannot be told"),
        ([["sky.png", "-", "objective=love"]], "cannot be"),
        ([["sky.png", "_blocks.4=x"]], "must be a number"),
        ([["sky.png", "-"]] * (MAX_REGIONS + 1), f"more than {MAX_REGIONS}"),
    ],
)
def test_what_is_no_region_is_said(typed: list[list[str]], says: str) -> None:
    with pytest.raises(DeepDreamError, match=says):
        parse_regions(typed)
