# SPDX-License-Identifier: GPL-3.0-or-later
"""The 1,000 classes of ImageNet's challenge (ILSVRC 2012), in the order of every network trained on them.

The names are torchvision's (BSD-3-Clause), unique and without the synonyms.
"""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def imagenet_classes() -> tuple[str, ...]:
    """Their names: "tench", "goldfish", ... "toilet tissue"."""
    return tuple(Path(__file__).with_name("imagenet_classes.txt").read_text("utf-8").splitlines())
