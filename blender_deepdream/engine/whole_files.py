# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are either whole or as they were: written beside their place, and moved there at the end."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..protocol.errors import StorageError


@contextlib.contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to write, which takes its place where the block ends well, and is gone in any case.

    Raises OSError.
    """
    part = path.absolute().with_name(f".{uuid.uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that it is either whole or as it was; its folder is made. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_whole(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, why: OSError | str) -> StorageError:
    """The error to raise where a file could not be written."""
    reason = why if isinstance(why, str) else why.strerror or str(why)
    return StorageError(
        f"{path} cannot be written: {reason}.", "See that the folder can be written and the disk has room."
    )
