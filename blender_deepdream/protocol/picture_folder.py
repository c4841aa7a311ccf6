# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's folder of pictures, sent to a server: standard library only, so that it runs inside Blender."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .brains import Advance
from .errors import ImageError, InputError
from .training import FORBIDDEN, MAX_DEPTH, MAX_PART_BYTES, MAX_PICTURE_NAME, MAX_PICTURES, is_portable

if TYPE_CHECKING:
    from .client import DreamClient

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".exr", ".gif", ".bmp", ".avif"})
"""What a brain learns from, in small letters."""

PIECE = 512
"""Pictures that are asked after at once."""

_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir"})


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The files of a folder and of those in it that may be pictures, in order; hidden ones are passed over.

    Raises InputError for a folder that is none, or that holds no pictures or too many.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", "Choose the folder that your pictures are in.")
    found = sorted(path for path in _files(folder) if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise InputError(f"There are no pictures in {folder}.", f"Pictures are files of these kinds: {kinds}.")
    if len(found) > MAX_PICTURES:
        raise InputError(
            f"There are {len(found):,} pictures in {folder}.", f"A brain is sent at most {MAX_PICTURES:,}: choose some."
        )
    return tuple(found)


def send_pictures(client: DreamClient, folder: Path) -> Generator[Advance, None, tuple[tuple[str, str], ...]]:
    """Send a folder's pictures, each once; yields how many are there, and returns `TrainRequest.pictures`.

    A file that cannot be read is sent as an empty one: the training lists what it leaves out. Stop iterating to
    cancel: what was sent stays sent. Raises what `pictures_in` does, and what `DreamClient.put_blob` does.
    """
    paths = pictures_in(folder)
    names = names_of(path.relative_to(folder).parts for path in paths)
    blobs: list[str] = []
    start = time.monotonic()
    yield Advance(0, len(paths), "pictures")
    for first in range(0, len(paths), PIECE):
        here = {path: _hash(path) for path in paths[first : first + PIECE]}
        missing = client.missing_blobs(here.values())
        for path, sha in here.items():
            blobs.append(_send(client, path) if sha in missing else sha)
            seconds = (time.monotonic() - start) * (len(paths) - len(blobs)) / len(blobs)
            yield Advance(len(blobs), len(paths), "pictures", seconds)
    return tuple(zip(blobs, names, strict=True))


def _send(client: DreamClient, path: Path) -> str:
    try:
        return client.put_blob(path)
    except ImageError:  # it cannot be read, or not any more
        return client.put_blob(b"")


def names_of(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Names on the wire for relative paths, given in parts: as they are where any system can have them, each once."""
    taken: set[str] = set()
    return tuple(_free(_portable_name(parts), taken) for parts in paths)


def _portable_name(parts: tuple[str, ...]) -> str:
    """folders/file: what is nested deeper than names may be loses its middle, what is too long its end."""
    kept = (*parts[: MAX_DEPTH - 1], parts[-1]) if len(parts) > MAX_DEPTH else parts
    # room for what tells two of one name apart
    longest = max(8, (MAX_PICTURE_NAME - 8) // len(kept) - 1)
    return "/".join(_portable_part(part, longest) for part in kept)


def _portable_part(part: str, longest: int) -> str:
    plain = "".join(letter if letter.isprintable() else "_" for letter in FORBIDDEN.sub("_", part))
    stem, suffix = os.path.splitext(plain)  # noqa: PTH122  (a part of a path, and no path)
    # a letter is up to four bytes in UTF-8
    longest = longest if plain.isascii() else min(longest, MAX_PART_BYTES // 4)
    short = f"{stem[: longest - len(suffix)]}{suffix}" if len(suffix) < longest else plain[:longest]
    trimmed = short.strip(" .")
    return trimmed if is_portable(trimmed) else f"_{trimmed}"


def _free(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken, whatever the capitals."""
    stem, dot, suffix = name.rpartition(".")
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{suffix}"
    taken.add(free.casefold())
    return free


def _files(folder: Path) -> Iterable[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(worth_a_look(folders))
        yield from (Path(root, name) for name in worth_a_look(files))


def worth_a_look(names: Iterable[str]) -> list[str]:
    """Those of files or folders without what is hidden, or litter of systems."""
    return [name for name in names if not name.startswith((".", "~$")) and name.lower() not in _LITTER]


_EMPTY = hashlib.sha256().hexdigest()


def _hash(path: Path) -> str:
    """The SHA-256 of a file; that of nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return _EMPTY
