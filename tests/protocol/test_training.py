# SPDX-License-Identifier: GPL-3.0-or-later
"""Trainings on the wire: there and back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blender_deepdream.protocol.brain_info import BrainInfo
from blender_deepdream.protocol.errors import DeepDreamError
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.protocol.training import (
    MAX_PICTURES,
    Phase,
    TrainProgress,
    TrainRequest,
    TrainResult,
    check_picture_name,
)
from blender_deepdream.protocol.wire import content_hash

SHA, OTHER = content_hash(b""), content_hash(b"other")
REQUEST = TrainRequest("mine", ((SHA, "cats/1.png"), (OTHER, "dogs/ä b.jpg")), Recipe().replace(epochs=3), OTHER)
INFO = BrainInfo("mine", SHA, "Mine", "CC0", ("_blocks.4",), (("_blocks.4", 1.0),))
RESULT = TrainResult(
    INFO, ("cats", "dogs"), 40, 7, 0.75, None, 0.5, SHA, SHA, OTHER, OTHER, 12.5, (("cats/2.png", "damaged"),)
)


@pytest.mark.parametrize("request_", [REQUEST, TrainRequest("b", ((SHA, "1.png"),), replace=True)])
def test_requests_cross_the_wire(request_: TrainRequest) -> None:
    assert TrainRequest.from_json(json.loads(json.dumps(request_.to_json()))) == request_


def test_what_a_training_tells_crosses_the_wire() -> None:
    progress = TrainProgress(Phase.TRAINING, 2, 12, 30, 40, 1.5, 0.5, None, 0.2, 90.0, "half the rate")
    assert TrainProgress.from_json(json.loads(json.dumps(progress.to_json()))) == progress
    assert TrainProgress.from_json(TrainProgress(Phase.GATHERING).to_json()) == TrainProgress(Phase.GATHERING)
    assert TrainResult.from_json(json.loads(json.dumps(RESULT.to_json()))) == RESULT


def test_blobs_and_brains() -> None:
    assert REQUEST.blobs == (SHA, OTHER)
    assert TrainRequest("b", ((SHA, "1.png"),)).blobs == (SHA,)
    assert REQUEST.brains == ("lite0",)
    assert RESULT.blobs == (SHA, SHA, OTHER, OTHER)


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"name": ""},
        {"pictures": []},
        {"pictures": {}},
        {"pictures": [SHA]},
        {"pictures": [[SHA]]},
        {"pictures": [["a.png", SHA]]},
        {"pictures": [[SHA, "../a.png"]]},
        {"pictures": [[SHA, "a.png"], [OTHER, "A.png"]]},
        {"pictures": [[SHA, f"{number}.png"] for number in range(MAX_PICTURES + 1)]},
        {"recipe": {"epochs": 0}},
        {"recipe": {"background": "pink"}},
        {"recipe": []},
        {"dream_source": "fog"},
        {"dream_source": "dusk:0x9"},
        {"dream_source": None},
        {"replace": 1},
        {"more": 1},
    ],
)
def test_requests_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(DeepDreamError):
        TrainRequest.from_json(REQUEST.to_json() | change)


@pytest.mark.parametrize("name", ["a.png", "cats/a.png", "a/b/c.jpg", "Größe/Bild 1.webp"])
def test_pictures_may_be_called_so(name: str) -> None:
    assert check_picture_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "/a.png", "a//b.png", "a/", "..", "a/../b", "./a", "a\\b", "c:a", "NUL", "a/com1.png", "con.d/x"),
        *(".hidden/a", "a\nb", " a", "a /b", "a.", "x" * 201, "a/" * 8 + "b", 7, None),
        "あ" * 100 + "/a.png",
    ],
)
def test_pictures_may_not_be_called_so(name: object) -> None:
    with pytest.raises(DeepDreamError):
        check_picture_name(name)
