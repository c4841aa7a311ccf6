# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to learn from that take a moment to make; without torch, so that new processes have them quickly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow


def save_picture(path: Path, seed: int, *, size: tuple[int, int] = (48, 40), kind: int = 0) -> Path:
    """A picture of soft blots, reddish, greenish or bluish by its kind; another one for each seed."""
    rng = np.random.default_rng([seed, kind])
    pixels = rng.integers(0, 120, (6, 6, 3))
    pixels[..., kind % 3] += 130
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels.astype(np.uint8)).resize(size, Pillow.Resampling.BICUBIC).save(path)
    return path
