# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of each file of a cache of pictures: a line of JSON each, the last one of a file counts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from ..engine.whole_files import replaced_whole
from .decoding import Reason


@dataclass(frozen=True, slots=True)
class Line:
    """What one file was found to be.

    path: below the data set's folder. size, changed: of the file then, in bytes and nanoseconds. row: where its pixels
    lie; -1 if it is left out, for a reason. aspect: width / height of the picture, upright. opaque: without
    transparency. crc: of its pixels.
    """

    path: str
    size: int
    changed: int
    sha256: str = ""
    row: int = -1
    aspect: float = 1.0
    opaque: bool = True
    crc: int = 0
    reason: Reason | None = None
    detail: str = ""


_LINE: TypeAdapter[Line] = TypeAdapter(Line)


def read_lines(path: Path) -> dict[str, Line]:
    """The lines by their paths; those that are damaged or cut short are passed over, as is a file that is not there.
    Raises OSError."""
    known = {}
    try:
        with path.open("rb") as file:
            for text in file:
                try:
                    line = _LINE.validate_json(text, strict=True)
                except ValidationError:  # a kill came between: that picture is decoded again
                    continue
                known[line.path] = line
    except FileNotFoundError:
        pass
    return known


def rewrite_lines(path: Path, lines: Iterable[Line]) -> None:
    """The file anew, of these lines. Raises OSError."""
    with replaced_whole(path) as part, part.open("wb") as file:
        file.writelines(map(_as_text, lines))


def add_line(file: IO[bytes], line: Line) -> None:
    """Raises OSError."""
    file.write(_as_text(line))
    file.flush()


def _as_text(line: Line) -> bytes:
    return json.dumps(asdict(line)).encode() + b"\n"
