# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream atlas`: a contact sheet of what the layers of a brain dream."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from ..engine import zoo
from ..engine.atlas import Cell, atlas, usual_source
from ..engine.cell_cache import CellCache, user_cache
from ..engine.contact_sheet import brain_sheet, cell_file, check_suffix, encode_sheet
from ..engine.images import Image, read_image
from ..engine.nothing import KINDS
from ..engine.whole_files import write_bytes
from ..protocol.messages import Progress
from .cli_dream import check_target
from .dreaming import choose_device
from .reporter import reporter


def make_atlas(options: argparse.Namespace) -> None:
    """Dream the cells, write the sheet to `options.target`, and the cells to the folder `options.cells` if there is
    one. Raises InputError, UnknownBrainError, UnknownLayerError, ImageError, StorageError, ..."""
    check_suffix(options.target.suffix)
    check_target(options.target)
    start = time.monotonic()
    source = _source(options.source)
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
    channels_of = layers[0] if options.channels else ""
    sheet = brain_sheet(brain.card, cells, options.size, Path(options.source).name, channels_of)
    write_bytes(options.target, encode_sheet(sheet, options.target.suffix))
    if options.cells is not None:
        for number, cell in enumerate(cells, 1):
            write_bytes(options.cells / cell_file(number, cell), cell.jpeg)
    _tell(options, cells, sheet.size, round(time.monotonic() - start, 3))


def _source(name: str) -> Image:
    """The image of nothing of that kind, or else the file of that name. Raises ImageError."""
    return usual_source(name) if name in KINDS else read_image(Path(name))


def _tell(options: argparse.Namespace, cells: list[Cell], size: tuple[int, int], seconds: float) -> None:
    if options.json:
        layers = [cell.layer for cell in cells]
        done = {"atlas": str(options.target), "width": size[0], "height": size[1], "cells": layers, "seconds": seconds}
        print(json.dumps({"done": done}))
    else:
        print(f"{options.target}: {len(cells)} cells, {size[0]} x {size[1]} pixels, {seconds:.1f} s")


def _where(cell: int, progress: Progress) -> str:
    return f"cell {cell}, octave {progress.octave}/{progress.octaves}"
