# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures, decoded and scaled once: their pixels in one file, and beside it, line by line, what each file was.

Pixels are only ever added, each picture's before its line is, and a line says what they sum to: a cache that was cut
short by a kill or a full disk is gone on with, and one that was damaged is mended.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import zlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import filelock
import numpy as np
from numpy.typing import NDArray

from ..engine.whole_files import cannot_write
from ..protocol.errors import StorageError
from .cache_index import Line, add_line, read_lines, rewrite_lines
from .decoding import Decoded, Reason
from .decoding_pool import Answer, decode_all
from .preparation import Preparation

CHANNELS = 4

MAX_BYTES = 16 * 2**30
KEPT_SECONDS = 7 * 24 * 3600
"""Where caches together take more than this, those that were not used for so long are let go."""

_VERSION = 1
_PIXELS, _LINES, _LOCK = "pixels", "pictures.jsonl", "lock"
_PASSING = (Reason.GONE, Reason.UNREADABLE)
"""Reasons that may not be there the next time."""


class PictureCache:
    """The decoded pictures of one folder at one size. folder: the data set's. side: in pixels. caches: where they lie.

    Pixels may be read at any time, from any thread or process; one at a time fills it.
    """

    def __init__(self, folder: Path, side: int, caches: Path) -> None:
        self.side = side
        self._row_bytes = CHANNELS * side**2
        self._source = folder.absolute()
        key = hashlib.sha256(f"{_VERSION}\0{side}\0{self._source}".encode("utf-8", "surrogatepass"))
        self.folder = caches / key.hexdigest()[:32]

    def fill(self, paths: Sequence[Path]) -> Generator[Preparation, None, dict[Path, Line]]:
        """Decode what is not known yet. paths: below the data set's folder. Returns a line for each of them.

        Raises StorageError.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / _LOCK):
                return (yield from self._fill(paths))
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def pixels(self, lines: Sequence[Line]) -> NDArray[np.uint8]:
        """Of these pictures: Nx4xSxS: red, green, blue, alpha; colour multiplied by alpha. Raises StorageError."""
        out = np.empty((len(lines), CHANNELS, self.side, self.side), np.uint8)
        path = self.folder / _PIXELS
        try:
            # not mapped into memory: there a file that is cut short ends the process, and here it is an error
            with path.open("rb", buffering=0) as file:
                for line, picture in zip(lines, out, strict=True):
                    file.seek(line.row * self._row_bytes)
                    row = file.read(self._row_bytes)
                    if zlib.crc32(row) != line.crc:  # filled anew meanwhile, or damaged
                        raise ValueError(f"{line.path} is not there")
                    picture[:] = np.frombuffer(row, np.uint8).reshape(picture.shape)
        except (OSError, ValueError) as error:
            raise StorageError(f"{path} cannot be read any more: {error}.", "Start again: it is mended.") from error
        return out

    def _fill(self, paths: Sequence[Path]) -> Generator[Preparation, None, dict[Path, Line]]:
        blanks = {path: _blank(path, self._source) for path in paths}
        known = self._still_true(blanks) | {path: line for path, line in blanks.items() if line.reason}
        missing = [path for path in paths if path not in known]
        _trim(self.folder)
        self._check_room(len(missing))
        rewrite_lines(self.folder / _LINES, (line for line in known.values() if line.reason not in _PASSING))
        yield Preparation("decoding", len(known), len(paths))
        with (self.folder / _PIXELS).open("ab") as pixels, (self.folder / _LINES).open("ab") as index:
            pixels.truncate(self._row_bytes * _rows(known.values()))
            pixels.seek(0, os.SEEK_END)
            rows = {line.sha256: line for line in known.values() if line.row >= 0}
            with contextlib.closing(decode_all(missing, self.side)) as answers:
                for path, answer in answers:
                    known[path] = line = _line(blanks[path], answer, rows, pixels)
                    if line.reason not in _PASSING:
                        add_line(index, line)
                    yield Preparation("decoding", len(known), len(paths))
        return known

    def _still_true(self, blanks: Mapping[Path, Line]) -> dict[Path, Line]:
        """Lines of files that did not change since, whose pixels are whole."""
        found = read_lines(self.folder / _LINES)
        same = {
            path: line
            for path, blank in blanks.items()
            if (line := found.get(blank.path)) and (line.size, line.changed) == (blank.size, blank.changed)
        }
        if _rows(same.values()) > 2 * len(same) + 100:  # mostly of pictures that are gone
            return {}
        whole = self._whole_rows(same.values())
        return {path: line for path, line in same.items() if line.row < 0 or line.row in whole}

    def _whole_rows(self, lines: Iterable[Line]) -> set[int]:
        sums = {line.row: line.crc for line in lines if line.row >= 0}
        whole = set()
        try:
            with (self.folder / _PIXELS).open("rb") as file:
                for row in sorted(sums):
                    file.seek(row * self._row_bytes)
                    if zlib.crc32(file.read(self._row_bytes)) == sums[row]:
                        whole.add(row)
        except FileNotFoundError:
            return set()
        return whole

    def _check_room(self, pictures: int) -> None:
        needed, free = pictures * self._row_bytes, shutil.disk_usage(self.folder).free
        if needed > free:
            raise StorageError(
                f"The decoded pictures take {needed / 2**20:,.0f} MiB, and {self.folder} has {free / 2**20:,.0f} MiB.",
                "Free some space, or train at a smaller side.",
            )


def _line(blank: Line, answer: Answer, rows: dict[str, Line], pixels: BinaryIO) -> Line:
    """A file's line; its pixels are written and put among the rows, unless a file of the same bytes is there."""
    if not isinstance(answer, Decoded):
        return replace(blank, reason=answer.reason, detail=answer.detail)
    line = rows.get(answer.sha256)
    if line is None:
        row = pixels.tell() // answer.pixels.nbytes
        pixels.write(answer.pixels.tobytes())
        pixels.flush()
        opaque = bool(answer.pixels[3].min() == 255)
        crc = zlib.crc32(answer.pixels.tobytes())
        line = Line("", 0, 0, answer.sha256, row, answer.aspect, opaque, crc)
        rows[answer.sha256] = line
    return replace(line, path=blank.path, size=blank.size, changed=blank.changed)


def _blank(path: Path, folder: Path) -> Line:
    """A line that says no more of a file than that it is there, or is gone."""
    name = path.relative_to(folder).as_posix()
    try:
        state = path.stat()
    except OSError:
        return Line(name, 0, 0, reason=Reason.GONE)
    return Line(name, state.st_size, state.st_mtime_ns)


def _rows(lines: Iterable[Line]) -> int:
    """How many rows there are up to the last that is in use."""
    return 1 + max((line.row for line in lines), default=-1)


def _trim(folder: Path) -> None:
    """Let go of other caches beside this one, if all take too much."""
    now = time.time()
    caches = {cache: _size(cache) for cache in folder.parent.iterdir() if cache.is_dir()}
    for cache, last in sorted(((cache, _last_used(cache)) for cache in caches), key=lambda item: item[1]):
        if sum(caches.values()) > MAX_BYTES and cache != folder and now - last > KEPT_SECONDS:
            shutil.rmtree(cache, ignore_errors=True)  # what is still open on Windows goes the next time
            del caches[cache]


def _size(cache: Path) -> int:
    try:
        return (cache / _PIXELS).stat().st_size
    except OSError:  # not written yet, or let go by another process
        return 0


def _last_used(cache: Path) -> float:
    try:
        return (cache / _LINES).stat().st_mtime
    except OSError:
        return 0.0
