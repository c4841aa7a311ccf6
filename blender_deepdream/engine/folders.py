# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this user's brains, images and results lie."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

DATA_VARIABLE = "DEEPDREAM_DATA"


def data_folder() -> Path:
    """The user's data folder, or the one that the environment names; the server's --data is above both."""
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_path("deepdream", appauthor=False))


def brains_folder(data: Path) -> Path:
    """Where the brains lie in a data folder."""
    return data / "brains"


def cache_folder() -> Path:
    """Where lies what can be made anew: the user's cache folder, or one in the folder that the environment names."""
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen) / "cache" if chosen else Path(platformdirs.user_cache_path("deepdream", appauthor=False))
