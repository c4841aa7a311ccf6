# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs about brains on the wire: there and back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blender_deepdream.protocol.brain_info import BrainInfo
from blender_deepdream.protocol.brains import (
    Advance,
    BrainOffer,
    BrainResult,
    ImportBrainRequest,
    PullBrainRequest,
)
from blender_deepdream.protocol.errors import DeepDreamError, RequestError
from blender_deepdream.protocol.jobs import JobState, JobStatus, request_from_json
from blender_deepdream.protocol.wire import content_hash

SHA, OTHER = content_hash(b""), content_hash(b"x")
BRAIN = BrainInfo("small", SHA, "A title", "MIT", ("a",), (("a", 1.0),))


@pytest.mark.parametrize(
    "request_",
    [
        ImportBrainRequest(file=SHA),
        ImportBrainRequest("small", file=SHA, replace=True),
        ImportBrainRequest("places", prototxt=SHA, caffemodel=OTHER, mean=SHA, classes=OTHER, licence="MIT"),
        PullBrainRequest("squeezenet", replace=True),
    ],
)
def test_requests_cross_the_wire(request_: ImportBrainRequest | PullBrainRequest) -> None:
    assert request_from_json(json.loads(json.dumps(request_.to_json()))) == request_
    assert set(request_.blobs) <= {SHA, OTHER}


@pytest.mark.parametrize(
    "status",
    [
        JobStatus(SHA, JobState.RUNNING, progress=Advance(3, 12, "bytes", 1.5), kind="import_brain"),
        JobStatus(SHA, JobState.DONE, result=BrainResult(BRAIN), kind="import_brain"),
    ],
)
def test_a_status_keeps_its_kind(status: JobStatus) -> None:
    assert JobStatus.from_json(json.loads(json.dumps(status.to_json()))) == status


def test_an_offer_crosses_the_wire() -> None:
    offer = BrainOffer("squeezenet", "SqueezeNet 1.1", "BSD-3-Clause", "PyPI", 5_000_000)
    assert BrainOffer.from_json(json.loads(json.dumps(offer.to_json()))) == offer


@pytest.mark.parametrize("change", [{"name": None}, {"name": "a\nb"}, {"replace": "yes"}, {"url": "http://x"}])
def test_pulls_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(DeepDreamError):
        request_from_json(PullBrainRequest("squeezenet").to_json() | change)


def test_how_far() -> None:
    assert Advance(3, 12, "bytes").fraction == 0.25
    assert Advance(0, 0, "bytes").fraction == 0


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"prototxt": SHA},
        {"caffemodel": SHA},
        {"prototxt": SHA, "caffemodel": SHA},
        {"name": "x", "file": SHA, "prototxt": SHA},
        {"name": "x", "file": SHA, "licence": "MIT"},
        {"name": "x", "mean": SHA},
    ],
)
def test_files_that_do_not_go_together(files: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        ImportBrainRequest(**files)


@pytest.mark.parametrize(
    "change",
    [{"name": 7}, {"name": "a\nb"}, {"file": "../x"}, {"licence": "x" * 301}, {"replace": 1}, {"more": 1}],
)
def test_requests_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(DeepDreamError):
        request_from_json(ImportBrainRequest(file=SHA).to_json() | change)
