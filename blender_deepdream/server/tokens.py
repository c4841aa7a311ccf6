# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: tokens by name and role. Of a token only its SHA-256 is kept: it is random, so that is enough.

The file has a line for each, `NAME ROLE SHA256`. It is read anew when it changes, so that a token that is taken out of
it is of no use from then on.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ..engine.whole_files import write_bytes
from ..protocol.errors import DeepDreamError, ForbiddenError, InputError, UnauthorizedError
from .store import storage_errors

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9A-Za-z._-]{1,64}")

OWN = "owner"
"""The name of the token in --token-file."""


class Role(StrEnum):
    """Each may do what those before it may."""

    DREAM = "dream"
    TRAIN = "train"
    ADMIN = "admin"

    def covers(self, other: Role) -> bool:
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


_LINE = re.compile(rf"{_NAME.pattern} ({'|'.join(Role)}) [0-9a-f]{{64}}")


class Holder(NamedTuple):
    """Who carries a token."""

    name: str
    role: Role


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Keyring:
    """Every token that opens the server: the owner's, and those of a file."""

    def __init__(self, own: str, file: Path | None = None) -> None:
        """Raises InputError, StorageError for a file that is no list of tokens."""
        self._own = (hash_of(own), Holder(OWN, Role.ADMIN))
        self._file = file
        self._seen = _state(file)
        self._others = read_tokens(file) if file else {}

    def holder(self, header: str | None) -> Holder:
        """Who sends this Authorization header. Raises UnauthorizedError."""
        scheme, _, given = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise UnauthorizedError(
                "This request carries no token.",
                "Send the header `Authorization: Bearer TOKEN` with the server's token.",
            )
        self._read_again()
        found, digest = None, hash_of(given.strip())
        for known, holder in (self._own, *self._others.items()):
            # all of them, each in constant time: how long it takes tells nothing
            found = holder if secrets.compare_digest(known, digest) else found
        if found is None:
            raise UnauthorizedError(
                "The token is wrong.", "The server may have been restarted: read its token file again."
            )
        return found

    def _read_again(self) -> None:
        state = _state(self._file)
        if self._file is None or state == self._seen:
            return
        self._seen = state
        try:
            self._others = read_tokens(self._file)
        except DeepDreamError as error:
            log.error("the tokens stay as they were: %s", error)


def check_role(holder: Holder, needed: Role, instead: str = "") -> None:
    """instead: what else can be done. Raises ForbiddenError."""
    if not holder.role.covers(needed):
        raise ForbiddenError(
            f"The token {holder.name!r} has the role {holder.role}, and this needs {needed}.",
            f"{instead}Ask whoever runs the server for a token of that role.",
        )


def read_tokens(path: Path) -> dict[str, Holder]:
    """The holders by the hash of their token. Raises InputError, StorageError."""
    with storage_errors(path):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    found: dict[str, Holder] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if not _LINE.fullmatch(" ".join(words)):
            raise InputError(f"Line {number} of {path} is no token.", "Write tokens with `deepdream tokens add`.")
        if words[0] == OWN:
            raise InputError(
                f"Line {number} of {path} names a token {OWN!r}, as that of --token-file is called.",
                "Give it another name there: who cancels what goes by the names.",
            )
        found[words[2]] = Holder(words[0], Role(words[1]))
    return found


def add_token(path: Path, name: str, role: Role) -> str:
    """Make a token, keep its hash, return it: it is shown this once. Raises InputError, StorageError."""
    tokens = read_tokens(path)
    if not _NAME.fullmatch(name) or name == OWN:
        raise InputError(f"{name!r} cannot name a token.", "Use 1 to 64 letters, digits, dots, dashes, underscores.")
    if any(holder.name == name for holder in tokens.values()):
        raise InputError(f"There is a token {name!r} already.", "Remove it first, or choose another name.")
    token = secrets.token_urlsafe(32)
    _write(path, tokens | {hash_of(token): Holder(name, role)})
    return token


def remove_token(path: Path, name: str) -> None:
    """Raises InputError if there is none of that name, StorageError."""
    tokens = read_tokens(path)
    left = {sha: holder for sha, holder in tokens.items() if holder.name != name}
    if len(left) == len(tokens):
        raise InputError(f"There is no token {name!r} in {path}.", "See `deepdream tokens list`.")
    _write(path, left)


def _write(path: Path, tokens: dict[str, Holder]) -> None:
    lines = [f"{holder.name} {holder.role} {sha}\n" for sha, holder in tokens.items()]
    write_bytes(path, "".join(lines).encode())


def _state(path: Path | None) -> tuple[int, int] | None:
    """What tells whether the file has changed."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_size)
