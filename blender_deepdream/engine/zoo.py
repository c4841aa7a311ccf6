# SPDX-License-Identifier: GPL-3.0-or-later
"""The brains in this user's library, by name: the short way for scripts and the command line."""

from __future__ import annotations

from pathlib import Path

import torch

from ..protocol.brain_info import BrainInfo
from . import brain_file
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
    """A brain by name, or the one in a file if it is a path to a .safetensors, ready to dream on `device`.

    Raises UnknownBrainError if there is none of that name, BrainFileError if its file is damaged.
    """
    if name.endswith(brain_file.SUFFIX):
        return brain_file.load(Path(name), device)
    return library().load(name, device)


def brain_contents(name: str = DEFAULT_BRAIN) -> brain_file.Contents:
    """What a brain is made of, by name or by the path of its file: for learning.

    Raises UnknownBrainError, BrainFileError.
    """
    return brain_file.read(Path(name)) if name.endswith(brain_file.SUFFIX) else library().contents(name)
