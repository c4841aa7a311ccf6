# SPDX-License-Identifier: GPL-3.0-or-later
"""The brains in this user's library, by name: the short way for scripts and the command line."""

from __future__ import annotations

import torch

from ..protocol.messages import BrainInfo
from .brain import Brain
from .folders import brains_folder, data_folder
from .library import Library

DEFAULT_BRAIN = "lite0"


def library() -> Library:
    """The library in this user's data folder."""
    return Library(brains_folder(data_folder()))


def list_brains() -> tuple[BrainInfo, ...]:
    """Every brain, without loading any."""
    return tuple(card.info() for card in library().brains())


def find_brain(name: str) -> BrainInfo:
    """A brain by name, without loading it. Raises UnknownBrainError, BrainFileError."""
    return library().find(name).info()


def load_brain(name: str = DEFAULT_BRAIN, device: torch.device | str = "cpu") -> Brain:
    """A brain by name, ready to dream on `device`.

    Raises UnknownBrainError if there is none of that name, BrainFileError if its file is damaged.
    """
    return library().load(name, device)
