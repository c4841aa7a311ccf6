# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's side of an atlas job: cells into the store, and the sheet of them.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..engine.atlas import Cell, atlas, usual_source
from ..engine.cell_cache import CellCache
from ..engine.contact_sheet import brain_sheet, encode_sheet
from ..engine.images import read_image
from ..protocol.atlas import AtlasRequest, AtlasResult
from .as_sent import said_as_sent
from .report import Report
from .workbench import Workbench


def dream_atlas(bench: Workbench, request: AtlasRequest, brains: Mapping[str, str], report: Report) -> AtlasResult:
    """Each cell is shown as it is finished, and kept: a job that was cancelled and is asked for again goes on.

    Raises what `atlas` raises, CancelledError, MissingBlobError, ImageError.
    """
    start = time.monotonic()
    for blob in request.blobs:
        bench.blob(blob)
    with said_as_sent(bench.store, {request.source: "The image"}):
        source = read_image(bench.store.blob_path(request.source)) if request.blobs else usual_source(request.source)
    brain = bench.brain(request.brain, brains)
    cache = CellCache(bench.store.root / "cells")
    cells: list[Cell] = []
    for news in atlas(brain, source, request.layers, channels=request.channels, size=request.side, cache=cache):
        if isinstance(news, Cell):
            cells.append(news)
            report.show(news.jpeg)
        else:
            report.advance(news)
    channels_of = request.layers[0] if request.channels else ""
    name = "an image" if request.blobs else request.source
    sheet = encode_sheet(brain_sheet(brain.card, cells, request.side, name, channels_of), ".png")
    pictures = tuple((cell.layer, bench.store.keep(cell.jpeg)) for cell in cells)
    return AtlasResult(bench.store.keep(sheet), pictures, round(time.monotonic() - start, 3))
