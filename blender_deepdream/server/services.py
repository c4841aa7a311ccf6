# SPDX-License-Identifier: GPL-3.0-or-later
"""What the routes stand on."""

from __future__ import annotations

from dataclasses import dataclass

from ..protocol.wire import MAX_BLOB_BYTES
from .jobs import JobQueue
from .store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """One server's disk and jobs, and whom it lets in."""

    store: Store
    jobs: JobQueue
    token: str
    max_blob_bytes: int = MAX_BLOB_BYTES
