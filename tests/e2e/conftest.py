# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene on disk, and a folder of each test's own around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import ROOT, Folder, blender


@pytest.fixture(scope="session")
def blend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small scene with motion, 64x48."""
    path = tmp_path_factory.mktemp("scene") / "shot.blend"
    outcome = blender(ROOT / "tests" / "scenes.py", path)
    assert path.is_file(), outcome.stderr
    return path


@pytest.fixture
def folder(tmp_path: Path, blend: Path) -> Folder:
    return Folder(tmp_path, blend)
