# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a cache, counted in a thread that touches files only, and remembered: panels are drawn often."""

from __future__ import annotations

import functools
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..protocol.errors import StorageError
from .changes import file_hash
from .kept_frames import KeptFrames, kept_frames
from .room import Room, count

_FRESH_SECONDS = 30
_LOOK_SECONDS = 0.2
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counted:
    """What there is, and when that was, as `time.monotonic` says; 0: never. blend: hash of the .blend as saved.

    error: why it cannot be counted, in words.
    """

    room: Room = field(default_factory=Room)
    frames: KeptFrames = field(default_factory=KeptFrames)
    blend: str = ""
    error: str = ""
    when: float = 0


class Counter:
    """One thread at a time, begun by whoever asks first after a while."""

    def __init__(self) -> None:
        self._known: dict[Path, Counted] = {}
        self._thread: threading.Thread | None = None

    def counted(self, root: Path, blend: str) -> Counted | None:
        """What is known; None before the first count has ended. Begins one where that is long ago.

        blend: path of the .blend that the cache belongs to; empty for one never saved.
        """
        known = self._known.get(root)
        if not self.busy and (known is None or time.monotonic() - known.when > _FRESH_SECONDS):
            arguments = (self._known, root, blend)
            self._thread = threading.Thread(target=_count_into, args=arguments, name="deepdream-count", daemon=True)
            self._thread.start()
        return known

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def forget(self) -> None:
        """The cache has changed: a count that still runs is not believed either."""
        self._known = {}

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()


def _count_into(known: dict[Path, Counted], root: Path, blend: str) -> None:
    try:
        found = count(root), kept_frames(root), _hash(blend)
    except StorageError as error:
        known[root] = Counted(error=str(error), when=time.monotonic())
    except OSError as error:
        told = f"{error.filename} cannot be read: {error.strerror}. Was it moved or deleted?"
        known[root] = Counted(error=told, when=time.monotonic())
    except Exception as error:  # thread boundary: the panel says it, and does not count again and again
        log.exception("counting %s met a defect", root)
        known[root] = Counted(error=f"It cannot be counted: {type(error).__name__}: {error}", when=time.monotonic())
    else:
        known[root] = Counted(*found, when=time.monotonic())


def _hash(blend: str) -> str:
    if not blend:
        return ""
    about = Path(blend).stat()
    return _hash_of(blend, about.st_mtime_ns, about.st_size)


@functools.lru_cache(maxsize=4)
def _hash_of(blend: str, _written: int, _size: int) -> str:
    return file_hash(Path(blend))


_counter = Counter()


def counted(root: Path) -> Counted | None:
    """For panels, which are drawn again once it is known."""
    found = _counter.counted(root, bpy.data.filepath)
    if _counter.busy and not bpy.app.timers.is_registered(_redraw_when_known):
        bpy.app.timers.register(_redraw_when_known, first_interval=_LOOK_SECONDS)
    return found


def forget() -> None:
    """The cache has changed: count it again when a panel asks."""
    _counter.forget()


def _redraw_when_known() -> float | None:
    if _counter.busy:
        return _LOOK_SECONDS
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "NODE_EDITOR":
                area.tag_redraw()
    return None


def stop() -> None:
    """The add-on is being switched off."""
    if bpy.app.timers.is_registered(_redraw_when_known):
        bpy.app.timers.unregister(_redraw_when_known)
    _counter.wait()
    _counter.forget()
