# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a job tells of its way: the worker's functions on one side of the pipe, the queue on the other."""

from __future__ import annotations

from typing import Protocol

from ..protocol.jobs import JobProgress


class Report(Protocol):
    """`advance` raises CancelledError when nobody wants the job any more, GaveWayError when others go first. show:
    takes a JPEG of the work so far."""

    def advance(self, progress: JobProgress) -> None: ...
    def show(self, jpeg: bytes) -> None: ...
