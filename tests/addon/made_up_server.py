# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream server that is made up: a training's news are written down, and what is asked of it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from blender_deepdream.protocol.brain_info import BrainInfo
from blender_deepdream.protocol.errors import CancelledError, NotFoundError
from blender_deepdream.protocol.jobs import JobState, JobStatus
from blender_deepdream.protocol.training import Phase, TrainProgress, TrainRequest, TrainResult

SHA = "ab" * 32
JPEG, PNG = b"\xff\xd8 a picture", b"\x89PNG a picture"
BRAIN = BrainInfo("mine", SHA, "Mine", "my own", (), ())
RESULT = TrainResult(BRAIN, ("a", "b"), 4, 2, 0.75, 0.5, None, *(f"{n}" * 64 for n in range(4)), 3.0)
DONE = JobStatus(SHA, JobState.DONE, result=RESULT, kind="train")


def at(epoch: int, phase: Phase = Phase.TRAINING, **more: object) -> TrainProgress:
    return replace(TrainProgress(phase, epoch, 3, fraction=epoch / 4, eta=100.0), **more)


class Server:
    """A server whose news are written down. steps: states, progress and errors in the order in which they come."""

    def __init__(self, *steps: TrainProgress | JobStatus | Exception, previews: int = 0) -> None:
        self.steps = list(steps)
        self.previews = previews
        self.sent: list[bytes] = []
        self.asked: list[TrainRequest] = []
        self.cancelled: list[str] = []
        self.kept: tuple[BrainInfo, ...] = ()
        self.told_to_stop = threading.Event()

    def brains(self) -> tuple[BrainInfo, ...]:
        return self.kept

    def missing_blobs(self, blobs: Iterator[str]) -> set[str]:
        return set(blobs)

    def put_blob(self, data: Path | bytes) -> str:
        self.sent.append(data if isinstance(data, bytes) else data.read_bytes())
        return SHA

    def submit(self, request: TrainRequest) -> JobStatus:
        self.asked.append(request)
        return JobStatus(SHA, JobState.QUEUED, kind="train")

    def status(self, job: str) -> JobStatus:
        return JobStatus(job, JobState.RUNNING, kind="train")

    def cancel(self, job: str) -> JobStatus:
        self.cancelled.append(job)
        self.told_to_stop.set()
        return self.status(job)

    def preview(self, job: str) -> bytes:
        if self.previews < 0:
            raise NotFoundError("There is none.")
        return JPEG

    def get_blob(self, sha: str, path: Path) -> None:
        path.write_bytes(PNG)

    def events(self, job: str) -> Iterator[JobStatus]:
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, TrainProgress):
                step = JobStatus(job, JobState.RUNNING, progress=step, kind="train", preview=abs(self.previews))
            yield step
            if step.state.ended:
                return
        self.told_to_stop.wait(5)
        yield JobStatus(job, JobState.CANCELLED, error=CancelledError("It was stopped."), kind="train")
