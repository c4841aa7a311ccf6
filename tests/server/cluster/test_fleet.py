# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ingress hears of a dreamer, whose end may come at any moment."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from blender_deepdream.protocol.errors import WorkerLostError
from blender_deepdream.protocol.messages import DreamRequest, DreamResult
from blender_deepdream.server.documents import FolderDocuments
from blender_deepdream.server.job import Job
from blender_deepdream.server.resolving import Resolved
from blender_deepdream.server.supervisor import Worker, WorkerOptions

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

RESULT = DreamResult("1" * 64, 8, 8, 1.0)
DONE = {"is": "done", "value": RESULT.to_json(), "free_memory": 7}
JOB = Resolved("a" * 64, DreamRequest("0" * 64), {"lite0": "2" * 64}, {"engine": "6"})


class Dreamers:
    """In the place of Serve's handle: says these things, and is gone then."""

    def __init__(self, *messages: Mapping[str, Any]) -> None:
        self._messages = messages
        self.work = self

    def options(self, **_: object) -> Dreamers:
        return self

    def remote(self, _: object) -> Dreamers:
        return self

    def cancel(self) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[Mapping[str, Any]]:
        from ray.exceptions import RayActorError

        for message in self._messages:
            yield message
        raise RayActorError()


def run(folder: Path, *messages: Mapping[str, Any]) -> object:
    from blender_deepdream.server.cluster.fleet import Fleet, Hand

    async def through() -> object:
        fleet = Fleet(Dreamers(*messages), Worker(WorkerOptions(folder)), FolderDocuments(folder), "memo.json")
        result = await Hand(fleet).run(JOB, Job(JOB))
        return result, fleet.free_memory

    return asyncio.run(through())


def test_one_that_dies_when_all_is_said(tmp_path: Path) -> None:
    assert run(tmp_path, {"is": "begun"}, DONE) == (RESULT, 7)


def test_one_that_dies_before(tmp_path: Path) -> None:
    with pytest.raises(WorkerLostError, match="is gone"):
        run(tmp_path, {"is": "begun"})
