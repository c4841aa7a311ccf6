# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training goes on with, where machines share no disk: brought here at its start, sent to the object store now
and then and at its end, so that it goes on anywhere."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ..protocol.errors import StorageError
from .objects import Found, Objects
from .remote_store import RemoteStore
from .store import Store

log = logging.getLogger(__name__)

SEND_SECONDS = 300.0
"""How much of a training the death of its machine costs, about."""

FORGET_SECONDS = 30 * 86_400

UNSENT = "unsent"
"""A file in the training's folder: what is here could not be sent."""


class Luggage:
    """What a training takes along. That of a store in a folder is on all machines: there is nothing to do."""

    def send_in_time(self) -> None:
        """To be called between two steps."""

    def send(self) -> None:
        """To be called after what must not be forgotten."""


@contextlib.contextmanager
def carried(store: Store, folder: Path, parts: tuple[str, ...]) -> Iterator[Luggage]:
    """Inside the block `parts` of the folder are what they were last, wherever that was. Where it ends well, nothing is
    kept. Raises StorageError."""
    if not isinstance(store, RemoteStore):
        yield Luggage()
        return
    luggage = _Sent(store.objects, folder, parts)
    luggage.bring()
    try:
        yield luggage
    except BaseException:
        with contextlib.suppress(OSError):
            luggage.send()
        raise
    luggage.forget()


class _Sent(Luggage):
    def __init__(self, objects: Objects, folder: Path, parts: tuple[str, ...]) -> None:
        self._objects = objects
        self._folder = folder
        self._parts = parts
        self._name = f"trainings/{folder.name}"
        self._unsent = folder / UNSENT
        self._sent: dict[str, tuple[int, int]] = {}
        self._due = time.monotonic() + SEND_SECONDS

    def bring(self) -> None:
        """What was sent is put in the place of what is here, unless that is newer and could not be sent."""
        self._forget_old()
        there = list(self._objects.list(self._name))
        if not there or self._is_ahead_of(there):
            return
        for part in self._parts:
            shutil.rmtree(self._folder / part, ignore_errors=True)
        for name in (found.name.removeprefix(f"{self._name}/") for found in there):
            path = self._folder / name
            if ".." not in path.parts:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._objects.fetch(f"{self._name}/{name}", path)

    def send_in_time(self) -> None:
        if time.monotonic() > self._due:
            self.send()
            self._due = time.monotonic() + SEND_SECONDS

    def send(self) -> None:
        """What has changed; what says that there is a checkpoint comes last. Says so where that cannot be."""
        try:
            here = {path.relative_to(self._folder).as_posix(): path for path in self._files()}
            for name, path in sorted(here.items(), key=lambda item: item[1].suffix == ".json"):
                facts = path.stat()
                if self._sent.get(name) != (facts.st_mtime_ns, facts.st_size):
                    self._objects.put_file(f"{self._name}/{name}", path)
                    self._sent[name] = facts.st_mtime_ns, facts.st_size
            for found in self._objects.list(self._name):
                if found.name.removeprefix(f"{self._name}/") not in here:
                    self._objects.remove(found.name)
            self._unsent.unlink(missing_ok=True)
        except (StorageError, OSError) as error:  # a file may go while they are listed: that ends no training
            log.warning("what this training goes on with is here alone: %s", error)
            self._unsent.touch()

    def forget(self) -> None:
        try:
            for found in self._objects.list(self._name):
                self._objects.remove(found.name)
        except StorageError as error:  # it costs room, and no training
            log.warning("what a training went on with stays stored: %s", error)

    def _is_ahead_of(self, there: list[Found]) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return self._unsent.stat().st_mtime > max(found.modified for found in there)
        return False

    def _files(self) -> Iterator[Path]:
        for part in self._parts:
            path = self._folder / part
            yield from [path] if path.is_file() else (file for file in path.rglob("*") if file.is_file())

    def _forget_old(self) -> None:
        for found in self._objects.list("trainings"):
            if found.modified < time.time() - FORGET_SECONDS:
                self._objects.remove(found.name)
