# SPDX-License-Identifier: GPL-3.0-or-later
"""What the routes stand on."""

from __future__ import annotations

from dataclasses import dataclass, field

from .hosts import own_names
from .jobs import JobQueue
from .limits import Limits
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
