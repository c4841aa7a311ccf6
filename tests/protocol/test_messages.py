# SPDX-License-Identifier: GPL-3.0-or-later
"""What crosses the wire, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blender_deepdream.protocol.brain_info import BrainInfo
from blender_deepdream.protocol.errors import DeepDreamError, ImageError, SettingsError
from blender_deepdream.protocol.jobs import JobState, JobStatus
from blender_deepdream.protocol.messages import ColorSpace, DreamRequest, DreamResult, Progress, Region
from blender_deepdream.protocol.regions import MAX_REGIONS
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.protocol.wire import content_hash

SHA = content_hash(b"")
GUIDED = Region("b", objective="guide-cosine")


@pytest.mark.parametrize(
    "message",
    [
        DreamRequest(SHA),
        DreamRequest(SHA, DreamSettings().replace(layers=[["a", 2]], steps=3), SHA, ColorSpace.ACESCG),
        DreamRequest(SHA, DreamSettings().replace(objective="guide-dot"), guide=SHA),
        DreamRequest(
            SHA,
            DreamSettings().replace(layers=[["a@1-2", 1]]),
            regions=(Region(SHA), Region(SHA, (("b:1", 2.0),), "mean")),
        ),
        DreamRequest(SHA, regions=(Region(SHA, objective="guide-dot", guide=SHA),)),
        DreamRequest("clouds:64x32:7", color_space=ColorSpace.ACESCG),
        DreamResult(SHA, 48, 32, 1.25),
        Progress(1, 4, 2, 12, -0.5, 0.1, None),
        JobStatus(SHA, JobState.QUEUED, 3),
        JobStatus(SHA, JobState.RUNNING, preview=2),
        JobStatus(SHA, JobState.RUNNING, progress=Progress(1, 4, 2, 12, 0.5, 0.1, 3.5)),
        JobStatus(SHA, JobState.DONE, result=DreamResult(SHA, 48, 32, 1.25)),
        BrainInfo("lite0", SHA, "A title", "MIT", ("a", "b"), (("a", 1.0),)),
    ],
)
def test_messages_cross_the_wire(message: Any) -> None:
    assert type(message).from_json(json.loads(json.dumps(message.to_json()))) == message


def test_a_failed_job_crosses_the_wire() -> None:
    error = JobStatus.from_json(JobStatus(SHA, JobState.FAILED, error=ImageError("what", "do")).to_json()).error
    assert isinstance(error, ImageError)
    assert (error.message, error.hint) == ("what", "do")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "train"},
        {"source": "x"},
        {"source": None},
        {"source": SHA.upper()},
        {"mask": 0},
        {"guide": 0},
        {"guide": SHA},
        {"settings": {"objective": "guide-dot"}},
        {"color_space": "CMYK"},
        {"settings": []},
        {"more": 1},
        {"source": "clouds:0x4"},
        {"source": "smoke:4x4"},
        {"regions": {}},
        {"regions": [1]},
        {"regions": [{}]},
        {"regions": [{"mask": SHA}] * (MAX_REGIONS + 1)},
        {"regions": [{"mask": "x"}]},
        {"regions": [{"mask": SHA, "more": 1}]},
        {"regions": [{"mask": SHA, "layers": [["a", 0]]}]},
        {"regions": [{"mask": SHA, "objective": "luck"}]},
        {"regions": [{"mask": SHA, "objective": "guide-dot"}]},
        {"regions": [{"mask": SHA, "objective": "direction"}]},
        {"regions": [{"mask": SHA, "guide": SHA}]},
        {"settings": {"layers": [["a:1*2", 1]]}},
    ],
)
def test_requests_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(DeepDreamError):
        DreamRequest.from_json(DreamRequest(SHA).to_json() | change)


def test_blobs_of_a_request() -> None:
    assert DreamRequest("a").blobs == ("a",)
    assert DreamRequest("a", mask="b").blobs == ("a", "b")
    guided = DreamSettings().replace(objective="guide-cosine")
    assert DreamRequest("a", guided, guide="c").blobs == ("a", "c")
    assert DreamRequest("hue:4x4", regions=(Region("b"), Region("b"))).blobs == ("b",)
    own = Region("b", objective="guide-dot", guide="d")
    assert DreamRequest("a", regions=(own,)).blobs == ("a", "b", "d")


def test_brains_of_a_request() -> None:
    settings = DreamSettings().replace(layers=[["x::a", 1], ["b", 1], ["lite0::c", 1]])
    assert DreamRequest("a", settings, regions=(Region("b", (("y::d", 1.0), ("x::e", 1.0))),)).brains == (
        "lite0",
        "x",
        "y",
    )


def test_a_region_may_use_the_images_guide_and_layers() -> None:
    lent = DreamRequest("a", DreamSettings().replace(layers=[["x", 1]]), None, guide="c", regions=(GUIDED,))
    wanted = GUIDED.settings(lent.settings)
    assert wanted == lent.settings.replace(objective="guide-cosine")
    with pytest.raises(SettingsError, match="no use of a guide"):
        DreamRequest("a", guide="c", regions=(Region("b"), Region("b", objective="guide-dot", guide="d")))


def test_a_guide_for_classes_alone_is_refused() -> None:
    classes, mixed = ([["class:peacock", 1]], [["class:peacock", 1], ["x", 1]])
    guided = DreamSettings().replace(objective="guide-dot")
    with pytest.raises(SettingsError, match="Classes make no use"):
        DreamRequest("a", guided.replace(layers=classes), guide="c")
    with pytest.raises(SettingsError, match="Classes make no use"):
        DreamRequest("a", regions=(Region("b", (("class:peacock", 1.0),), "guide-dot", "d"),))
    DreamRequest("a", guided.replace(layers=mixed), guide="c")
    DreamRequest("a", guided, guide="c", regions=(Region("b", (("class:peacock", 1.0),)),))
    DreamRequest("a", guided.replace(layers=classes), guide="c", regions=(Region("b", (("x", 1.0),)),))


def test_an_older_client_knows_no_guide() -> None:
    said = DreamRequest(SHA).to_json()
    del said["guide"]
    assert DreamRequest.from_json(said) == DreamRequest(SHA)


def test_states() -> None:
    assert [state for state in JobState if not state.ended] == [JobState.QUEUED, JobState.RUNNING]
