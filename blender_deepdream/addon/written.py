# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Blender wrote all of an image: on a full disk it says "Saved" and leaves a piece of one."""

from __future__ import annotations

import os
from pathlib import Path

from ..protocol.errors import ImageError, StorageError
from .exr import check_complete

_PNG_END = b"IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"


def check_written(path: Path) -> None:
    """Raises StorageError unless the file is there and whole, as far as its format shows (EXR, PNG, JPEG)."""
    try:
        if path.suffix.lower() == ".exr":
            check_complete(path)
            return
        whole = _whole(path)
    except (ImageError, OSError):
        whole = False
    if not whole:
        raise StorageError(f"Blender could not write all of {path}.", "Is the disk full? Make room and start again.")


def _whole(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(-min(size, len(_PNG_END)), os.SEEK_END)
        end = file.read()
    if start.startswith(b"\x89PNG"):
        return end == _PNG_END
    if start.startswith(b"\xff\xd8"):
        return end.endswith(_JPEG_END)
    return size > 0
