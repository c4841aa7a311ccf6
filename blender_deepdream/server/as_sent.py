# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors about files, in the words of those who sent them: the name of a blob on the server means nothing to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..protocol.errors import BrainFileError, ImageError
from .store import Store


@contextmanager
def said_as_sent(store: Store, names: Mapping[str, str]) -> Iterator[None]:
    """Inside the block, errors speak of `names` (by blob) instead of the files in the store."""
    try:
        yield
    except (ImageError, BrainFileError) as error:
        message = error.message
        for blob, name in names.items():
            message = message.replace(str(store.blob_path(blob)), name)
        raise type(error)(message, error.hint) from error
