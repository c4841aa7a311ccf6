# SPDX-License-Identifier: GPL-3.0-or-later
"""A training as Blender follows it: a generator of events, drained by a batch or advanced by a timer.

The server trains, and goes on when nobody follows: a Blender that is closed takes only a server of its own with it, and
even then the same training asked for again goes on from its last checkpoint.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import queue
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocol.brain_info import BrainInfo
from ..protocol.brains import Advance
from ..protocol.errors import DeepDreamError, ServerUnavailableError
from ..protocol.training import Phase, TrainProgress, TrainResult
from .run import time_words
from .task import Asking
from .train_task import Queued, Seen, Stopped, Submitted, Trained, Training, TrainTask, Update

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

_DOING = {
    Phase.GATHERING: "reading pictures",
    Phase.SORTING: "sorting pictures into classes",
    Phase.TRAINING: "learning",
    Phase.DREAMING: "dreaming",
    Phase.ATLAS: "dreaming in each layer",
}


@dataclass(frozen=True)
class TrainEvent:
    """Where a training is.

    sent: how many of its pictures are there. queued: jobs before it. job: its id, once the server knows it. progress:
    the latest. picture: whether a new picture of it lies in its report. note: something that people must be told, in
    words; in one event only. At the end, result: what came of it; or stopped: the same in words, if it was stopped, and
    brain: what is in the library under its name, if anything is.
    """

    sent: Advance | None = None
    queued: int = 0
    job: str = ""
    progress: TrainProgress | None = None
    stopping: bool = False
    picture: bool = False
    note: str = ""
    result: TrainResult | None = None
    stopped: str = ""
    brain: BrainInfo | None = None

    @property
    def ended(self) -> bool:
        return self.result is not None or bool(self.stopped)

    @property
    def outcome(self) -> str:
        """What it has come to: `78% of the pictures it had not seen are named right; 9 classes, 863 pictures`."""
        if self.result is None:
            return self.stopped
        right = f"{self.result.validation_accuracy:.0%} of the pictures it had not seen are named right"
        robust = self.result.robust_accuracy
        perturbed = "" if robust is None else f", {robust:.0%} where they are perturbed"
        return right + perturbed + f"; {len(self.result.classes)} classes, {self.result.images} pictures"

    @property
    def fraction(self) -> float:
        return 1.0 if self.ended else self.progress.fraction if self.progress else 0.0

    @property
    def text(self) -> str:
        """One line for people: `Epoch 3 of 12: learning, 78% right, 4 min left`."""
        if self.ended:
            return self.outcome
        if self.stopping:
            return "Stopping: the best brain so far is kept"
        if self.progress:
            return _progress_text(self.progress)
        if self.queued:
            return f"Waiting for {self.queued} {'job' if self.queued == 1 else 'jobs'} before it"
        if self.sent and not self.job:
            return f"Sending pictures: {self.sent.done} of {self.sent.total}"
        return "Beginning"


def _progress_text(progress: TrainProgress) -> str:
    doing = _DOING[progress.phase]
    words = [f"Epoch {progress.epoch} of {progress.epochs}: {doing}" if progress.epoch else doing.capitalize()]
    if progress.accuracy is not None:
        words.append(f"{progress.accuracy:.0%} right")
    if progress.eta is not None:
        words.append(f"{time_words(progress.eta)} left")
    return ", ".join(words)


@dataclass
class TrainJob:
    """A training and how it is reached.

    connect: gets the name of who wants it, and finds a server. patience: seconds to wait for news before yielding; 0 in
    a window. stopped: set it to end the training with the best brain so far. known: when it is followed no more, the
    id of its job, if the server came to know of it.
    """

    training: Training
    connect: Callable[[str], DreamClient]
    patience: float = 0.1
    stopped: bool = False
    known: str = ""


def train(job: TrainJob) -> Iterator[TrainEvent]:
    """Train a brain; the last event says what came of it. Raises DeepDreamError.

    Whoever stops iterating leaves the training to go on. A server that is lost is reached for again, once for each time
    that it has been heard of.
    """
    event = TrainEvent()
    while True:
        connect = functools.partial(job.connect, _this_user())
        client = yield from Asking(connect).answer(job.patience, replace(event, note=""))
        task = TrainTask(client, job.training)
        try:
            for event in _watched(job, task, event):  # noqa: B020  goes on from where the lost server was
                yield event
        except ServerUnavailableError:
            if not event.job:
                raise
            event = TrainEvent(note="The server was lost: asking for the training again.")
            yield event
        else:
            return
        finally:
            job.known = task.job or ""
            task.leave()


def _this_user() -> str:
    """A client's id that is the same tomorrow: who opens Blender again may stop what they began today."""
    return hashlib.sha256(f"{platform.node()} {Path.home()} trains".encode()).hexdigest()[:32]


def _watched(job: TrainJob, task: TrainTask, event: TrainEvent) -> Iterator[TrainEvent]:
    while not event.ended:
        event = replace(event, note="", picture=False)
        if job.stopped and not event.stopping:
            event = replace(event, stopping=True)
            yield event
            task.stop()
        for update in _news(task, job.patience):
            if isinstance(update, DeepDreamError):
                yield event  # what came before it counts
                raise update
            event = _after(event, update)
        yield event


def _news(task: TrainTask, patience: float) -> list[Update | DeepDreamError]:
    """All that has come, waiting a while for the first."""
    found = []
    with suppress(queue.Empty):
        found.append(task.updates.get(timeout=patience))
        while True:
            found.append(task.updates.get_nowait())
    return found


def _after(event: TrainEvent, update: Update) -> TrainEvent:
    """What is known after an update."""
    more: dict[str, Any] = {}
    match update:
        case Advance():
            more = {"sent": update}
        case Submitted():
            more = {"job": update.job}
        case Queued():
            more = {"queued": update.position}
        case TrainProgress():
            new = update.said and (event.progress is None or update.said != event.progress.said)
            more = {"progress": update, "note": update.said if new else event.note}
        case Seen():
            more = {"picture": True}
        case Trained():
            more = {"result": update.result, "brain": update.result.brain, "picture": True}
        case Stopped():
            more = {"stopped": update.said, "brain": update.brain}
    return replace(event, **more)
