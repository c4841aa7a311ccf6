# SPDX-License-Identifier: GPL-3.0-or-later
"""How CPU threads wait for one another. Must not import torch: it has to be said before torch is loaded."""

from __future__ import annotations

import os

SPINS = "20000"
"""How often a thread of GNU's OpenMP asks before it sleeps, some ten microseconds. Measured on two cores, two threads:
a dream of 384 pixels takes 0.85 s so, 0.9 s by default and 1.4 s where threads sleep at once; one of 96 pixels, beside
two other busy programs, 0.6 s, 1.0 s (seconds, at times) and 0.5 s."""


def share_the_cores() -> None:
    """Let threads that wait for long sleep, for a process that is about to load torch.

    By default OpenMP's threads spin on, and on a machine that does other things, as one on which Blender renders does,
    they take the cores from those that they wait for. What somebody has set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
