# SPDX-License-Identifier: GPL-3.0-or-later
"""The bearer token: a file only its owner can read. The token is never printed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..protocol.errors import InputError
from .store import storage_errors

MIN_TOKEN_LENGTH = 16


def read_or_make_token(path: Path) -> str:
    """The token in the file; a file that is missing or empty gets a new one. Raises InputError, StorageError."""
    with storage_errors(path):
        if path.is_file() and path.stat().st_size:
            return _checked(path.read_text(encoding="utf-8", errors="replace").strip(), path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        token = secrets.token_urlsafe(32)
        # private from its first moment: a chmod afterwards would leave a gap
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(token)
    return token


def _checked(token: str, path: Path) -> str:
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            f"{path} holds no usable token.",
            f"A token has at least {MIN_TOKEN_LENGTH} printable ASCII characters; delete the file to get a new one.",
        )
    return token
