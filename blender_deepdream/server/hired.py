# SPDX-License-Identifier: GPL-3.0-or-later
"""What a crew asks of a worker, wherever that works: a process beside the server, or a machine of a cluster."""

from __future__ import annotations

from typing import Any, Protocol

from ..protocol.jobs import JobResult
from .report import Report
from .resolving import Facts, Resolved


class Hired(Protocol):
    """One job at a time. `supervisor.Worker` tells what each of these does and raises."""

    @property
    def attempts(self) -> int:
        """How often a job is tried if the worker dies on it."""
        ...

    @property
    def free_memory(self) -> int | None: ...

    @property
    def known_facts(self) -> Facts | None: ...

    async def facts(self) -> Facts: ...

    async def ready(self) -> Facts: ...

    async def fresh_facts(self) -> Facts: ...

    async def brain_details(self, name: str) -> dict[str, Any]: ...

    async def remove_brain(self, name: str) -> None: ...

    async def ask(self, what: str, **details: str) -> Any: ...

    async def run(self, job: Resolved, report: Report) -> JobResult: ...

    def cancel(self, job_id: str) -> None: ...

    def give_way(self, job_id: str) -> None: ...

    async def close(self) -> None: ...
