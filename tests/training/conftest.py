# SPDX-License-Identifier: GPL-3.0-or-later
"""Small folders of pictures, as artists have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tests run beside each other: more threads than cores would only wait for one another."""
    torch.set_num_threads(1)


def save_picture(path: Path, seed: int, *, size: tuple[int, int] = (48, 40), kind: int = 0) -> Path:
    """A picture of soft blots, reddish, greenish or bluish by its kind; another one for each seed."""
    rng = np.random.default_rng([seed, kind])
    pixels = rng.integers(0, 120, (6, 6, 3))
    pixels[..., kind % 3] += 130
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels.astype(np.uint8)).resize(size, Pillow.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 12, 8 and 5 pictures; nobody writes here."""
    folder = tmp_path_factory.mktemp("pictures")
    for kind, (name, count) in enumerate({"moss": 12, "rust": 8, "sky": 5}.items()):
        for seed in range(count):
            save_picture(folder / name / f"{seed:02}.png", seed, kind=kind)
    return folder


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where decoded pictures are kept for all tests."""
    return tmp_path_factory.mktemp("caches")
