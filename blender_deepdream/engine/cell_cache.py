# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells of atlases, kept as JPEG files under a hash of all that they were made from."""

from __future__ import annotations

import io
from pathlib import Path

import platformdirs
from PIL import Image as Pillow

from .whole_files import write_bytes

MAX_CELLS = 4096
"""So many are kept, the latest used; 192 pixels a side make about 80 MB."""

MAX_BYTES = 2**24
"""No cell's file is larger."""


class CellCache:
    """A folder of JPEG files. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str, side: int) -> bytes | None:
        """The JPEG kept under `key` if it is whole and `side` pixels wide and high."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                jpeg = file.read(MAX_BYTES + 1)
            path.touch()
        except OSError:  # not there, or just trimmed by another process: it can be dreamed again
            return None
        return jpeg if len(jpeg) <= MAX_BYTES and _is_whole(jpeg, side) else None

    def keep(self, key: str, jpeg: bytes) -> None:
        """Keep a cell, and let go of the longest unused if there are too many. Raises StorageError."""
        write_bytes(self._path(key), jpeg)
        self._trim()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.jpg"

    def _trim(self) -> None:
        cells = list(self._folder.glob("*.jpg"))
        if len(cells) > MAX_CELLS:
            cells.sort(key=_last_used)
            # an eighth at a time: sorting them for every new one would be slow
            for path in cells[: len(cells) - MAX_CELLS * 7 // 8]:
                path.unlink(missing_ok=True)


def user_cache() -> CellCache:
    """The one in the user's own cache folder."""
    return CellCache(Path(platformdirs.user_cache_path("deepdream", appauthor=False)) / "atlas")


def _is_whole(jpeg: bytes, side: int) -> bool:
    try:
        with Pillow.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
            if picture.size != (side, side):
                return False
            picture.load()
    except (OSError, SyntaxError):  # damaged: Pillow says so in either way
        return False
    return True


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # trimmed by another process meanwhile
        return 0.0
