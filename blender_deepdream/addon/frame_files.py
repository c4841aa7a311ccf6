# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of finished frames, by Blender's own rules: which are left alone, and what stands there meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..protocol.errors import StorageError
from . import cache as files
from .run import Job


def is_left_alone(job: Job, frame: int) -> bool:
    """Whether this frame has a file, and Overwrite is off: another's, an earlier one, or a placeholder."""
    path = job.file(frame)
    return path is not None and not job.overwrite and path.exists()


@contextmanager
def placeholder(job: Job, frame: int) -> Iterator[None]:
    """An empty file where the frame will be, if that is wished; none is left of a frame that did not come to be.

    Raises StorageError.
    """
    path = job.file(frame)
    if path is None or not job.placeholders or path.exists():
        yield
        return
    files.make_folder(path.parent)
    try:
        path.touch()
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "Choose another Output.") from error
    try:
        yield
    finally:
        if path.is_file() and not path.stat().st_size:
            path.unlink()


def move(temporary: Path, output: Path) -> None:
    """Raises StorageError."""
    try:
        temporary.replace(output)
    except OSError as error:
        raise StorageError(
            f"{output} cannot be written: {error.strerror}.", "Is it a folder, or open in another program?"
        ) from error
