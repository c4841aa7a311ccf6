# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream atlas`: a contact sheet of what the layers of a brain dream."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from ..engine import zoo
from ..engine.atlas import Cell, atlas
from ..engine.brain import BrainCard
from ..engine.cell_cache import CellCache, user_cache, write_bytes
from ..engine.contact_sheet import cell_file, check_suffix, draw_sheet, encode_sheet
from ..engine.images import Image, read_image
from ..engine.nothing import KINDS, named
from ..protocol.errors import InputError
from ..protocol.messages import Progress
from .cli_dream import reporter
from .dreaming import choose_device

SOURCE_SIDE = 512
SOURCE_SEED = 0
"""Of an image of nothing that an atlas is dreamed from: one for all, so that brains can be compared."""


def make_atlas(options: argparse.Namespace) -> None:
    """Dream the cells, write the sheet to `options.target`, and the cells to the folder `options.cells` if there is
    one. Raises InputError, UnknownBrainError, UnknownLayerError, ImageError, StorageError, ..."""
    check_suffix(options.target.suffix)
    if not options.target.absolute().parent.is_dir():
        raise InputError(f"The folder of {options.target} does not exist.", "Make it first.")
    start = time.monotonic()
    source = source_image(options.source)
    brain = zoo.load_brain(options.brain, choose_device(options.device, options.threads))
    layers = [name.strip() for part in options.layers for name in part.split(",") if name.strip()]
    cache = CellCache(options.cache) if options.cache else user_cache()
    cells: list[Cell] = []
    with reporter(options.json, lambda progress: _where(len(cells) + 1, progress)) as report:
        for news in atlas(brain, source, layers, channels=options.channels, size=options.size, cache=cache):
            if isinstance(news, Cell):
                cells.append(news)
            else:
                report(news)
    below = subtitle(brain.card, len(cells), layers[0] if options.channels else "", options.source)
    sheet = draw_sheet(cells, options.size, brain.card.title, below)
    write_bytes(options.target, encode_sheet(sheet, options.target.suffix))
    if options.cells is not None:
        for number, cell in enumerate(cells, 1):
            write_bytes(options.cells / cell_file(number, cell), cell.jpeg)
    _tell(options, cells, sheet.size, round(time.monotonic() - start, 3))


def source_image(name: str) -> Image:
    """The image of nothing of that kind, or else the file of that name. Raises ImageError."""
    nothing = named(f"{name}:{SOURCE_SIDE}x{SOURCE_SIDE}", SOURCE_SEED) if name in KINDS else None
    return nothing or read_image(Path(name))


def subtitle(card: BrainCard, cells: int, strongest_of: str, source: str) -> str:
    """The line below a sheet's title. strongest_of: the layer whose channels are shown, if channels are."""
    if strongest_of:
        shown = f"the {cells} strongest channels of {strongest_of}"
    elif cells == len(card.layers):
        shown = f"{cells} layers, early to late"
    else:
        shown = f"{cells} of {len(card.layers)} layers"
    return "  ·  ".join((card.name, card.licence, shown, f"from {Path(source).name}"))


def _tell(options: argparse.Namespace, cells: list[Cell], size: tuple[int, int], seconds: float) -> None:
    if options.json:
        layers = [cell.layer for cell in cells]
        done = {"atlas": str(options.target), "width": size[0], "height": size[1], "cells": layers, "seconds": seconds}
        print(json.dumps({"done": done}))
    else:
        print(f"{options.target}: {len(cells)} cells, {size[0]} x {size[1]} pixels, {seconds:.1f} s")


def _where(cell: int, progress: Progress) -> str:
    return f"cell {cell}, octave {progress.octave}/{progress.octaves}"
