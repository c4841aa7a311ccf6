# SPDX-License-Identifier: GPL-3.0-or-later
"""Small folders of pictures, as artists have them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from .small_pictures import save_picture


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tests run beside each other: more threads than cores would only wait for one another."""
    torch.set_num_threads(1)


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
