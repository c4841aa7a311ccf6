# SPDX-License-Identifier: GPL-3.0-or-later
"""What all that crosses the wire has in common: versions, limits, hashes, and checks of what comes in.

Blobs (images, brains, results) are named by the SHA-256 of their bytes, in lower-case hex.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from .errors import RequestError
from .layers import MAX_NAME_LENGTH

PROTOCOL_VERSION = 1
"""Raised whenever an older client or server would misread the other. Sent in `PROTOCOL_HEADER` and in /v1/health."""

PROTOCOL_HEADER = "DeepDream-Protocol"
CLIENT_HEADER = "DeepDream-Client"
"""Names who wants a job (any text of up to 64 letters, digits and dashes), so that one client's cancel does not take
the job away from another."""

BATCH_HEADER = "DeepDream-Batch"
"""There, whatever it says, where nobody looks on: people's jobs come before this client's."""

MAX_BLOB_BYTES = 2 * 2**30
MAX_REQUEST_BYTES = 2**23
"""Enough for a training's twenty thousand pictures by blob and name."""

MAX_LISTED_BLOBS = 20_000
"""How many blobs a server is asked after at once."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLIENT = re.compile(r"[0-9A-Za-z-]{1,64}")


def content_hash(data: bytes) -> str:
    """The name of these bytes: SHA-256, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def canonical_hash(data: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON object, whatever the order of its keys."""
    return content_hash(json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())


def check_hash(value: object) -> str:
    """The value if it is a SHA-256 in lower-case hex. Raises RequestError."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise RequestError("A blob or job is named by 64 lower-case hexadecimal digits, its SHA-256.")
    return value


def check_blob_list(data: object) -> tuple[str, ...]:
    """The blobs that a question is about, each once: `{"blobs": [...]}`. Raises RequestError."""
    check_fields(data, "question", {"blobs"})
    assert isinstance(data, Mapping)
    blobs = data.get("blobs")
    if not isinstance(blobs, list) or len(blobs) > MAX_LISTED_BLOBS:
        raise RequestError(f"blobs must be a list of at most {MAX_LISTED_BLOBS} blobs.")
    return tuple(dict.fromkeys(map(check_hash, blobs)))


def check_client(value: object) -> str:
    """The value if it can name a client. Raises RequestError."""
    if not isinstance(value, str) or not _CLIENT.fullmatch(value):
        raise RequestError(f"{CLIENT_HEADER} must be 1 to 64 letters, digits or dashes.")
    return value


def check_fields(data: object, what: str, known: Collection[str]) -> None:
    if not isinstance(data, Mapping):
        raise RequestError(f"A {what} must be a JSON object.")
    unknown = set(data) - set(known)
    if unknown:
        raise RequestError(f"A {what} has no field {sorted(map(str, unknown))[0]!r}.")


def check_name(value: object, what: str) -> str:
    """The value if it can be a name. what: whose. Raises RequestError."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_LENGTH or not value.isprintable():
        raise RequestError(f"A {what}'s name must be a line of 1 to {MAX_NAME_LENGTH} characters.")
    return value


def check_flag(value: object, what: str) -> bool:
    """The value if it is true or false. Raises RequestError."""
    if not isinstance(value, bool):
        raise RequestError(f"{what} must be true or false.")
    return value
