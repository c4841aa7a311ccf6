# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory something takes at its worst, however much the process has taken before."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def at_most(mebibytes: float) -> Iterator[None]:
    """Fails if inside the block the process's memory rises higher above what it was. Linux tells; elsewhere nobody."""
    if sys.platform != "linux":
        yield
        return
    gc.collect()
    CLEAR_REFS.write_text("5")  # the peak is from now on counted from what is in use
    before = _peak()
    yield
    assert _peak() - before < mebibytes * 1024


def _peak() -> int:
    """In KiB."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])
