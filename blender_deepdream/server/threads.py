# SPDX-License-Identifier: GPL-3.0-or-later
"""How CPU threads wait for one another. Must not import torch: it has to be said before torch is loaded."""

from __future__ import annotations

import os


def share_the_cores() -> None:
    """Let threads that wait for one another sleep, for a process that is about to load torch.

    OpenMP's threads spin instead. On a machine that does other things, as one on which Blender renders does, they take
    the cores from those that they wait for: with two threads on two busy cores a dream took four times as long.
    What somebody has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
