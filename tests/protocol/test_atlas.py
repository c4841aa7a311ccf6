# SPDX-License-Identifier: GPL-3.0-or-later
"""Atlas jobs on the wire: there and back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blender_deepdream.protocol.atlas import AtlasRequest, AtlasResult
from blender_deepdream.protocol.errors import DeepDreamError
from blender_deepdream.protocol.jobs import JobState, JobStatus, request_from_json
from blender_deepdream.protocol.wire import content_hash

SHA = content_hash(b"")
RESULT = AtlasResult(SHA, (("_blocks.4", SHA), ("_blocks.9:12", SHA)), 1.5)


@pytest.mark.parametrize(
    "request_",
    [AtlasRequest("lite0"), AtlasRequest("lite0", ("_blocks.4",), 12, SHA, 64), AtlasRequest("a/b", source="clouds")],
)
def test_requests_cross_the_wire(request_: AtlasRequest) -> None:
    assert request_from_json(json.loads(json.dumps(request_.to_json()))) == request_


def test_a_status_keeps_its_kind() -> None:
    status = JobStatus(SHA, JobState.DONE, result=RESULT, kind="atlas")
    assert JobStatus.from_json(json.loads(json.dumps(status.to_json()))) == status


def test_blobs() -> None:
    assert AtlasRequest("lite0").blobs == ()
    assert AtlasRequest("lite0", source=SHA).blobs == (SHA,)
    assert RESULT.blobs == (SHA,) * 3


@pytest.mark.parametrize(
    "change",
    [
        {"brain": None},
        {"brain": ""},
        {"brain": "a\nb"},
        {"layers": "all"},
        {"layers": [7]},
        {"layers": ["x"] * 513},
        {"layers": ["x" * 201]},
        {"channels": 0},
        {"channels": True},
        {"channels": 2.5},
        {"channels": 10**9},
        {"source": "fog"},
        {"source": "../../etc/passwd"},
        {"source": None},
        {"side": 31},
        {"side": 10**6},
        {"side": "192"},
        {"more": 1},
    ],
)
def test_requests_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(DeepDreamError):
        request_from_json(AtlasRequest("lite0").to_json() | change)
