# SPDX-License-Identifier: GPL-3.0-or-later
"""What the routes stand on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .hired import Hired
from .hosts import own_names
from .jobs import JobQueue
from .journal import Journal
from .limits import GIB, Limits
from .metrics import Metrics
from .store import Store
from .tokens import Keyring
from .upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Services:
    """One server's disk and jobs, whom it lets in and what it bears. names: those it may be called by."""

    store: Store
    jobs: JobQueue
    upkeep: Upkeep
    keyring: Keyring
    metrics: Metrics = field(default_factory=Metrics)
    limits: Limits = field(default_factory=Limits)
    names: frozenset[str] = field(default_factory=own_names)


def assembled(
    store: Store,
    hire: Callable[[int], Hired],
    workers: int | None,
    *,
    keyring: Keyring,
    limits: Limits,
    names: frozenset[str],
    journal: Journal | None = None,
) -> Services:
    """A server on this store. The rest as of `JobQueue` and `Services`."""
    metrics = Metrics()
    jobs = JobQueue(store, hire, workers, limits, metrics, journal)
    upkeep = Upkeep(store, limits.store_gib * GIB, lambda: jobs.needed_blobs)
    metrics.watch("store_bytes", "Blobs and results on disk", lambda: upkeep.used)
    return Services(store, jobs, upkeep, keyring, metrics, limits, names)
