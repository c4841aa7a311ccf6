# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of a network's classes, from the text files that come with Caffe's networks."""

from __future__ import annotations

import re
from pathlib import Path

from ...protocol.errors import BrainFileError
from ..networks.operations.operation import MAX_CHANNELS
from .names import plain_name

MAX_TEXT = 2**23
MAX_NAME = 100

_WORDNET_ID = re.compile(r"n\d{8}[\s,]+")
_PLACE = re.compile(r"/\w/(\S+?)(?:\s+\d+)?")
"""A line of Places' list: /a/abbey 0."""


def read_classes(path: Path) -> tuple[str, ...]:
    """One class a line: `n01440764 tench, Tinca tinca` is "tench", `/a/abbey 0` is "abbey". Raises BrainFileError.

    Names are unique; marks that separate names where classes are asked for are left out of them.
    """
    hint = "Give a text file with one class a line, such as synset.txt."
    try:
        with path.open("rb") as file:
            text = file.read(MAX_TEXT + 1)
    except OSError as error:
        raise BrainFileError(f"The classes {path} cannot be read: {error.strerror}.", hint) from error
    lines = text.decode("utf-8", "replace").strip().splitlines()
    if len(text) > MAX_TEXT or not 0 < len(lines) <= MAX_CHANNELS or any(len(line) > 10 * MAX_NAME for line in lines):
        raise BrainFileError(f"{path.name} is not a list of classes.", hint)
    return _unique([_name(line.strip()) for line in lines])


def _name(line: str) -> str:
    place = _PLACE.fullmatch(line)
    first = place.group(1) if place else _WORDNET_ID.sub("", line, count=1).split(",")[0]
    return plain_name(first)[:MAX_NAME].strip() or "?"


def _unique(names: list[str]) -> tuple[str, ...]:
    """A name that was there before gets its place in the list: there are two cranes in ImageNet."""
    seen: set[str] = set()
    unique = []
    for index, name in enumerate(names):
        unique.append(f"{name} {index}" if name in seen else name)
        seen.update((name, unique[-1]))
    return tuple(unique)
