# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that a step has freed waits for the next one, and goes back to the system after the job.

A step takes and frees hundreds of megabytes. GNU's C library hands large blocks back at once, and the system clears
each of their pages anew before it gives them out again: that was a sixth of a dream's time.
"""

from __future__ import annotations

import ctypes
import os
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""What glibc's malloc.h calls them, with M_ before: at most so much stays free at the end; larger blocks never wait."""

EVERYTHING = 2**31 - 1
LARGEST_KEPT, LARGEST_KEPT_BEFORE = 2**26, 2**25
"""Bytes. The largest map that GoogLeNet makes of a tile of 768 pixels has 36 MiB; what is as large as a large image
comes and goes, and would leave holes. glibc before 2.35 refuses more than the second, the most to which it would come
by itself."""

_SET_BY_SOMEBODY = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> None:
    """From now on this process keeps what it frees, where its C library is GNU's. What somebody has set stays."""
    if sys.platform == "linux" and not any(name in os.environ for name in _SET_BY_SOMEBODY):
        library = ctypes.CDLL(None)
        sizes = (LARGEST_KEPT, LARGEST_KEPT_BEFORE) if hasattr(library, "mallopt") else ()
        if any(library.mallopt(MMAP_THRESHOLD, size) for size in sizes):
            # alone it would fix the other at what it begins with, 128 KiB
            library.mallopt(TRIM_THRESHOLD, EVERYTHING)


def return_freed_memory() -> None:
    """Give what was kept back to the system: other programs want it, too, and can see that they may have it."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):
            library.malloc_trim(0)
