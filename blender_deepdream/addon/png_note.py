# SPDX-License-Identifier: GPL-3.0-or-later
"""A note inside a PNG, which travels with it: a tEXt chunk, PNG specification (2003), 11.3.4.3.

Blender would write one, and beside it how long the render took: the same pixels would have other bytes every time.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33
"""Where the first chunk ends, which has the same length in every PNG."""
_KEYWORD = b"DeepDream\0"
_LONGEST = 4096


def write_note(path: Path, note: str) -> None:
    """Put a note of Latin-1 letters into a PNG. Raises OSError."""
    whole, text = path.read_bytes(), b"tEXt" + _KEYWORD + note.encode("latin-1")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    path.write_bytes(whole[:_HEADER_END] + chunk + whole[_HEADER_END:])


def read_note(path: Path) -> str | None:
    """A PNG's note; None where there is no such file, no PNG, or one without a note or not written to its end."""
    try:
        with path.open("rb") as file:
            return _note(file)
    except (OSError, struct.error):
        return None


def _note(file: BinaryIO) -> str | None:
    note = None
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return None
    while head := file.read(8):
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return note
        if kind == b"tEXt" and length <= _LONGEST:
            text = file.read(length)
            note = text[len(_KEYWORD) :].decode("latin-1") if text.startswith(_KEYWORD) else note
            length = 0
        file.seek(length + 4, 1)
    return None
