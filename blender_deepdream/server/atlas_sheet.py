# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds an atlas's cells: the image that all dream from, and the line below the title."""

from __future__ import annotations

from pathlib import Path

from ..engine.brain import BrainCard
from ..engine.images import Image, read_image
from ..engine.nothing import KINDS, named

SOURCE_SIDE = 512
SOURCE_SEED = 0
"""Of an image of nothing that an atlas is dreamed from: one for all, so that brains can be compared."""


def source_image(name: str, path: Path) -> Image:
    """The image of nothing of that kind, or else the file at that path. Raises ImageError."""
    nothing = named(f"{name}:{SOURCE_SIDE}x{SOURCE_SIDE}", SOURCE_SEED) if name in KINDS else None
    return nothing or read_image(path)


def subtitle(card: BrainCard, cells: int, strongest_of: str, source: str) -> str:
    """The line below a sheet's title. strongest_of: the layer whose channels are shown, if channels are. source: its
    name."""
    if strongest_of:
        shown = f"the {cells} strongest channels of {strongest_of}"
    elif cells == len(card.layers):
        shown = f"{cells} layers, early to late"
    else:
        shown = f"{cells} of {len(card.layers)} layers"
    return "  ·  ".join((card.name, card.licence, shown, f"from {source}"))
