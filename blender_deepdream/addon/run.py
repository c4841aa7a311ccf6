# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the pipeline: what is asked of it, what it tells on its way, and where its time went."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import bpy

from ..protocol.messages import Progress
from .cache import Cache
from .request import Wishes

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

_DOING = {
    "server": "starting the dream server",
    "render": "rendering 3D",
    "capture": "capturing",
    "transfer": "sending",
    "dream": "dreaming",
    "composite": "compositing",
}
Stage = Literal["render", "server", "capture", "transfer", "dream", "composite"]


@dataclass(frozen=True)
class Event:
    """Where the work is. done: frames finished before this one. progress: of the dream in hand.

    note: something that people must be told, in words; in one event only. preview: a JPEG of the dream so far.
    left: seconds that the frames after this one will take, None where that is not known.
    """

    frame: int
    done: int
    total: int
    stage: Stage | Literal["finished"]
    node: str = ""
    progress: Progress | None = None
    note: str = ""
    preview: bytes = b""
    left: float | None = None

    @property
    def fraction(self) -> float:
        dreamed = self.stage in ("composite", "finished")
        inside = 1.0 if dreamed else self.progress.fraction if self.progress else 0.0
        return (self.done + inside) / self.total

    @property
    def text(self) -> str:
        """One line for people: `Frame 12 (3 of 24): dreaming, octave 2 of 4, 14 s left`."""
        where = f"Frame {self.frame} ({self.done + 1} of {self.total})"
        words = [_DOING.get(self.stage, self.stage)]
        if self.progress:
            words.append(f"octave {self.progress.octave} of {self.progress.octaves}")
        return f"{where}: {', '.join([*words, *self._time_left()])}"

    def _time_left(self) -> list[str]:
        """Of all frames; where that is not known yet, of the dream in hand."""
        eta = self.progress.eta if self.progress else None
        if self.left is not None and (eta is not None or self.left):
            return [f"{time_words(self.left + (eta or 0))} left"]
        if eta is None:
            return []
        return [f"{time_words(eta)} left{' of this frame' * (self.done + 1 < self.total)}"]


def time_words(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Stopwatch(dict[Stage, float]):
    """Seconds by stage."""

    def add(self, stage: Stage, seconds: float) -> None:
        self[stage] = self.get(stage, 0.0) + seconds

    def since(self, before: Stopwatch) -> Stopwatch:
        """What came to it since an earlier copy was made of it."""
        return Stopwatch({stage: seconds - before.get(stage, 0.0) for stage, seconds in self.items()})

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - started)


@dataclass
class Job:
    """What to dream and where it goes.

    frames: in any order; they are dreamed in that of time, in which each holds on to the one before.
    output: gives a frame's file, or is None when the frame is only shown; file_format: Blender's name for its format.
    overwrite: whether frames whose file is there are written again; placeholders: whether an empty file stands where a
    frame is being made, for other machines to see.
    run_in: how many frames of the same shot are dreamed before the first one, and not kept.
    only_stage: stop after it: "render" makes the passes, "dream" the dreams, too; "composite" makes no dream that is
    missing. Empty for all of it.
    wishes: what stands above the nodes' own settings. only: the name of the one node to dream.
    reuse_captures: whether a saved scene's compositor may be taken as unchanged; in a window it may not.
    patience: seconds to wait for the server before yielding; 0 in a window.
    where: address of the server, empty for our own: how long dreams take is known by that.
    """

    scene: bpy.types.Scene
    frames: Sequence[int]
    cache: Cache
    connect: Callable[[], DreamClient]
    output: Callable[[int], Path] | None = None
    file_format: str = ""
    overwrite: bool = True
    placeholders: bool = False
    wishes: Wishes = field(default_factory=Wishes)
    only: str = ""
    only_stage: Literal["", "render", "dream", "composite"] = ""
    run_in: int = 0
    rerender: bool = False
    reuse_captures: bool = False
    patience: float = 0.1
    where: str = ""
    seconds: Stopwatch = field(default_factory=Stopwatch)

    def file(self, frame: int) -> Path | None:
        """Where the finished frame is written; None where it is only shown, or not made."""
        return self.output(frame) if self.output and self.only_stage in ("", "composite") else None
