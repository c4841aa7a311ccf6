# SPDX-License-Identifier: GPL-3.0-or-later
"""A training asked of the server, in a thread of its own as a dream is; but it may be stopped, or left to go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.brain_info import BrainInfo
from ..protocol.brains import Advance
from ..protocol.errors import CancelledError, DeepDreamError, NotFoundError, StorageError
from ..protocol.jobs import JobState, JobStatus
from ..protocol.picture_folder import send_pictures
from ..protocol.recipe import Recipe
from ..protocol.training import DREAM_SOURCE, TrainProgress, TrainRequest, TrainResult
from .cache import PROCESS, make_folder
from .report import LEARNING, REPORTS, SUFFIXES, report_path
from .task import ServerTask

if TYPE_CHECKING:
    from ..protocol.client import DreamClient


@dataclass(frozen=True)
class Training:
    """What is asked for. name: of the brain. pictures: the folder they are in. report: the folder that gets pictures of
    how it learned. source: an image file that it dreams from after each epoch; None: an image of nothing. replace:
    whether a brain of that name makes way. job: the id of a training that the server knows already: it is followed, and
    nothing is sent."""

    name: str
    pictures: Path
    report: Path
    recipe: Recipe = field(default_factory=Recipe)
    source: Path | None = None
    replace: bool = False
    job: str = ""


@dataclass(frozen=True)
class Submitted:
    """The server knows of it. job: its id, under which it can be followed again."""

    job: str


@dataclass(frozen=True)
class Queued:
    """It waits. position: jobs before it."""

    position: int


@dataclass(frozen=True)
class Seen:
    """A new picture of what it has come to lies at `path`."""

    path: Path


@dataclass(frozen=True)
class Trained:
    """The end: the brain is in the library, and pictures of how it learned are in the report's folder."""

    result: TrainResult


@dataclass(frozen=True)
class Stopped:
    """The end of what was stopped. said: what is kept, in the server's words. brain: what has its name now, if
    anything."""

    said: str
    brain: BrainInfo | None


Update = Advance | Submitted | Queued | TrainProgress | Seen | Trained | Stopped


class TrainTask(ServerTask):
    """Send pictures, submit, follow, fetch. `updates` gets Updates, the last Trained or Stopped, or one error."""

    def __init__(self, client: DreamClient, training: Training) -> None:
        super().__init__(client, "training")
        self.job = training.job or None
        self._training = training
        self._left = threading.Event()
        self._previews = 0
        self.start()

    def stop(self) -> None:
        """End the training; the server keeps the best brain so far, and the thread goes on until it has said so.

        Nobody waits for the server: what it answers against it comes with the updates.
        """
        if self.job is None:
            self.cancel()
        else:
            threading.Thread(target=self._stop, args=(self.job,), name="deepdream-stop-training", daemon=True).start()

    def _stop(self, job: str) -> None:
        try:
            self.client.cancel(job)
        except DeepDreamError as error:
            self.updates.put(error)

    def leave(self) -> None:
        """Follow it no more; the server goes on."""
        self._left.set()

    def check(self) -> None:
        super().check()
        if self._left.is_set():
            raise CancelledError("The training is no longer followed.")

    def work(self) -> Iterator[Update]:
        if self._training.job:
            status = self.client.status(self._training.job)
        else:
            status = self.client.submit((yield from self._request()))
        self.job = status.id
        yield Submitted(status.id)
        for status in self.followed(status):  # noqa: B020  the last one is the one that counts
            yield from self._news(status)
        if isinstance(status.result, TrainResult):
            self._fetch(status.result)
            yield Trained(status.result)
        else:
            named = {brain.name: brain for brain in self.client.brains()}
            said = status.error.message if status.error else "The training was stopped."
            yield Stopped(said, named.get(self._training.name))

    def _request(self) -> Iterator[Update]:
        """Returns the request; all that it names has been sent."""
        asked = self._training
        pictures = yield from send_pictures(self.client, asked.pictures)
        source = self.client.put_blob(asked.source) if asked.source else DREAM_SOURCE
        return TrainRequest(asked.name, pictures, asked.recipe, source, asked.replace)

    def _news(self, status: JobStatus) -> Iterator[Update]:
        if status.state is JobState.QUEUED:
            yield Queued(status.position)
        if isinstance(status.progress, TrainProgress):
            yield status.progress
        if status.preview > self._previews and status.state is JobState.RUNNING:
            self._previews = status.preview
            with suppress(NotFoundError):  # it has ended meanwhile
                picture = self.client.preview(status.id)
                yield Seen(_placed(picture, make_folder(self._training.report) / LEARNING))

    def _fetch(self, result: TrainResult) -> None:
        folder = make_folder(self._training.report)
        for name in REPORTS:
            unnamed = folder / name
            self.client.get_blob(getattr(result, name), unnamed)
            _placed(unnamed.read_bytes(), unnamed)
            unnamed.unlink()
        if learning := report_path(folder, LEARNING):
            learning.unlink()


def _placed(picture: bytes, unnamed: Path) -> Path:
    """Write a picture under the suffix of its kind, in the place of what was there. Raises StorageError."""
    path = unnamed.with_suffix(SUFFIXES[0 if picture.startswith(b"\xff\xd8") else 1])
    temporary = path.with_name(f".{path.name}.{PROCESS}")
    try:
        temporary.write_bytes(picture)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "Make room on the disk.") from error
    for other in SUFFIXES:
        if other != path.suffix:
            unnamed.with_suffix(other).unlink(missing_ok=True)
    return path
