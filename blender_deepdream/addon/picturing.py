# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a server for its brains, and for pictures of what their layers dream.

A thread talks to the server; the generator is Blender's side.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..protocol.atlas import AtlasRequest, AtlasResult
from ..protocol.brains import Advance
from ..protocol.errors import CancelledError
from ..protocol.messages import Progress
from .known_brains import BUILT_IN, KnownBrain, known_brains, learn, picture_name, users_folder
from .task import Asking, ServerTask

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

SIDE = 128
"""Of a picture in pixels."""


@dataclass(frozen=True)
class Pictured:
    """fraction: of the brain in hand."""

    brain: str
    number: int
    count: int
    fraction: float
    note: str = ""

    @property
    def text(self) -> str:
        return f"What {self.brain} dreams ({self.number} of {self.count})" if self.brain else "Asking the dream server"


class BrainsTask(ServerTask):
    """`updates` gets Pictured, then True at the end, or one error."""

    def __init__(self, client: DreamClient, folder: Path) -> None:
        """folder: of what the user's servers have told."""
        super().__init__(client, "look at brains")
        self._folder = folder
        self.start()

    def work(self) -> Iterator[Pictured | bool]:
        brains = [
            learn(self.client.brain(info.name), self._folder)
            for info in self.client.brains()
            if info.name not in BUILT_IN
        ]
        for number, brain in enumerate(brains, 1):
            if not brain.is_pictured:
                yield Pictured(brain.name, number, len(brains), 0)
                for fraction in self._pictures(brain):
                    yield Pictured(brain.name, number, len(brains), fraction)
        yield True

    def _pictures(self, brain: KnownBrain) -> Iterator[float]:
        result = None
        for status in self.followed(self.client.submit(AtlasRequest(brain.name, side=SIDE))):
            result = status.result
            if isinstance(status.progress, (Progress, Advance)):
                yield status.progress.fraction
        if not isinstance(result, AtlasResult):
            raise CancelledError("The pictures were cancelled on the server.")
        with TemporaryDirectory(dir=brain.folder) as passing:
            for layer, blob in result.pictures:
                fetched = Path(passing) / "picture.jpg"
                self.client.get_blob(blob, fetched)
                fetched.replace(brain.folder / picture_name(layer))


def look_at_brains(connect: Callable[[], DreamClient], patience: float) -> Generator[Pictured, None, None]:
    """Learn which brains the server has, and what they dream. Raises DeepDreamError; finished pictures are kept."""
    event = Pictured("", 0, 1, 0)
    yield event
    client = yield from Asking(connect).answer(patience, event)
    task = BrainsTask(client, users_folder())
    try:
        for update in task.news(patience):
            if update is True:
                return
            event = update or event
            yield event
    finally:
        task.cancel()
        known_brains.cache_clear()
