# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull as the worker does it, from somebody who is always online."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_deepdream.protocol.brains import Advance, PullBrainRequest
from blender_deepdream.protocol.errors import CancelledError, PullError
from blender_deepdream.protocol.jobs import JobProgress
from blender_deepdream.server import work_brains
from blender_deepdream.server.store import Store
from blender_deepdream.server.workbench import Workbench

from ..engine.test_pull import FakeOffer


class Told:
    """Remembers what it is told; cancels after so many times."""

    def __init__(self, cancel_after: int = 10**6) -> None:
        self.progress: list[JobProgress] = []
        self._left = cancel_after

    def advance(self, progress: JobProgress) -> None:
        self.progress.append(progress)
        self._left -= 1
        if self._left < 0:
            raise CancelledError("The job was cancelled.")

    def show(self, jpeg: bytes) -> None:
        raise AssertionError("there is nothing to see")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    store = Store(tmp_path)
    store.prepare()
    return Workbench(store, "cpu", 1)


def sells(monkeypatch: pytest.MonkeyPatch, ware: FakeOffer) -> None:
    monkeypatch.setattr(work_brains, "offer", lambda _: ware)


def test_a_pull_tells_of_its_bytes(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    sells(monkeypatch, FakeOffer())
    told = Told()
    result = work_brains.pull_brain(bench, PullBrainRequest("small"), {}, told)
    assert result.brain == bench.library.find("small").info()
    assert all(isinstance(progress, Advance) and progress.total == 1000 for progress in told.progress)
    assert told.progress


def test_a_pull_that_is_cancelled_leaves_nothing(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    sells(monkeypatch, FakeOffer("import time; time.sleep(60)"))
    with pytest.raises(CancelledError):
        work_brains.pull_brain(bench, PullBrainRequest("small"), {}, Told(cancel_after=2))
    assert list(bench.library.folder.iterdir()) == []


def test_a_pull_that_fails_says_why(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    sells(monkeypatch, FakeOffer("import sys; sys.exit('no such host')"))
    with pytest.raises(PullError, match="no such host"):
        work_brains.pull_brain(bench, PullBrainRequest("small"), {}, Told())
