# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room a cache takes, and how it is cleared.

Only what can be made again and is ours without doubt is counted and deleted: files with a record of `cache` beside
them, those records, what dreams hand on, and notes of finished frames. Dreamed textures, reports of trainings, and all
that others have put into the folder stay. Links below the cache's folder are not followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import StorageError
from .cache import read_json

_RECORD = {"key", "size", "sha256"}
_NOTE = {"made_from", "sha256"}
_FRAME = re.compile(r"\d{4,}\.exr")
_NODE = re.compile(r"[0-9A-Za-z-]+-[0-9a-f]{8}")
_STAGE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Room:
    """files: how many. size: all of them together, in bytes."""

    files: int = 0
    size: int = 0

    @property
    def text(self) -> str:
        """For people: `12 files, 3.4 GB`."""
        return f"{self.files} file{'s' * (self.files != 1)}, {size_words(self.size)}" if self.files else "Empty"


def count(root: Path) -> Room:
    """What `clear` would delete. Raises StorageError where a folder cannot be read."""
    sizes = [size for _, size in _cached(root)]
    return Room(len(sizes), sum(sizes))


def clear(root: Path) -> Room:
    """Delete what is counted, and folders that become empty. Returns what went.

    Raises StorageError if something stays; the rest is gone.
    """
    gone, stays, folders = Room(), "", set()
    for path, size in list(_cached(root)):
        try:
            path.unlink()
        except FileNotFoundError:  # another process on the same cache may clear it too
            continue
        except OSError as error:
            stays = stays or f"{path} cannot be deleted: {error.strerror}."
            continue
        gone = Room(gone.files + 1, gone.size + size)
        folders |= {folder for folder in path.parents if root in folder.parents}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        with suppress(OSError):  # something of others lies in it
            folder.rmdir()
    if stays:
        raise StorageError(stays, f"May you write to its folder? This went: {gone.text}.")
    return gone


def _cached(root: Path) -> Iterator[tuple[Path, int]]:
    """Each file and its size in bytes. A file comes before its record, so clearing that was cut short can go on."""
    for folder in (root / "raw", *_folders(root / "raw"), *_folders(root / "surface", _STAGE)):
        yield from _recorded(folder)
    for folder in _folders(root / "dream", _NODE):
        for handed_on in (folder / "detail", folder / "seen"):
            yield from (_sized(entry) for entry in _files(handed_on) if _FRAME.fullmatch(entry.name))
        yield from _recorded(folder)
    yield from (_sized(entry) for entry in _files(root / "final") if _says(entry, _NOTE))


def _recorded(folder: Path) -> Iterator[tuple[Path, int]]:
    entries = {entry.name: entry for entry in _files(folder)}
    for name, entry in entries.items():
        if _says(entry, _RECORD):
            picture = entries.get(f"{name.removesuffix('.json')}.exr")
            yield from map(_sized, (picture, entry) if picture else (entry,))


def _says(entry: os.DirEntry[str], names: set[str]) -> bool:
    """Whether a file is a record with these entries."""
    return entry.name.endswith(".json") and names <= (read_json(Path(entry.path)) or {}).keys()


def _sized(entry: os.DirEntry[str]) -> tuple[Path, int]:
    try:
        return Path(entry.path), entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # deleted meanwhile
        return Path(entry.path), 0
    except OSError as error:  # a folder whose names may be read, and nothing more
        raise StorageError(f"The file {entry.path} cannot be read: {error.strerror}.", "May you read it?") from error


def _files(folder: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in _entries(folder) if entry.is_file(follow_symlinks=False)]


def _folders(folder: Path, name: re.Pattern[str] = re.compile(".+")) -> list[Path]:
    found = (entry for entry in _entries(folder) if name.fullmatch(entry.name))
    return [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing in one that is missing or a link. Raises StorageError."""
    try:
        if folder.is_symlink():
            return []
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(f"The folder {folder} cannot be read: {error.strerror}.", "May you read it?") from error


def size_words(size: int) -> str:
    """As Blender and file managers count: 1000 bytes are a kilobyte."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if size >= 10**power:
            return f"{size / 10**power:.1f} {unit}"
    return f"{size} bytes"
