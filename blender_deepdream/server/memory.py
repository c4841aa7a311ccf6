# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a worker may have: an image that unfolds to more than that ends its job, not the machine."""

from __future__ import annotations

import logging
import os

log = logging.getLogger(__name__)


def limit_memory(limit: int, device: str) -> None:
    """Let this process have so many bytes; to want more is a MemoryError, or the engine's own.

    0: all of the machine's on a CPU, no limit on a GPU, whose driver takes addresses without memory behind them. Only
    Linux counts what is used.
    """
    wanted = limit or (physical_memory() if device == "cpu" else 0)
    if not wanted:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    if hasattr(resource, "RLIMIT_DATA"):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
        log.info("memory is limited to %d MiB", wanted >> 20)


def physical_memory() -> int:
    """Bytes; 0 where nobody can say."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return 0
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
