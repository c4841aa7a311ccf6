# SPDX-License-Identifier: GPL-3.0-or-later
"""The same source dreamed after each epoch, strung into a sheet: the artist sees the brain become their own.

The first cell is the base brain's. Cells are kept as files, so that a training which goes on draws whole sheets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path

import torch
from PIL import Image as Pillow

from ..engine import dreamspace
from ..engine.atlas import Cell, as_image, encode_cell, middle_square
from ..engine.brain import Brain
from ..engine.cell_cache import CellCache
from ..engine.contact_sheet import draw_sheet
from ..engine.dream import dream, fingerprint
from ..engine.images import Image
from ..engine.octaves import Size, resize_picture
from ..protocol.layers import LayerWeights
from ..protocol.messages import Progress
from ..protocol.settings import DreamSettings
from ..protocol.wire import canonical_hash, content_hash
from .curves import best_of
from .history import EpochReport

SIDE = 224
"""Of a cell in pixels."""

SHARE = 0.15
"""How much of the training's time may go into dreams."""

MAX_CELLS = 48

SETTINGS = {"octaves": 4, "steps": 10}


class DreamSheet:
    """One training's. source: any image; its middle square is dreamed from. layers: what is dreamed, of the base brain
    as of its pupil. folder: where cells are kept. device: of the brains. clock: seconds.
    """

    def __init__(
        self,
        source: Image,
        layers: LayerWeights,
        folder: Path,
        device: torch.device,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._square = resize_picture(middle_square(source, device), Size(SIDE, SIDE))
        self._layers = layers
        self._cache = CellCache(folder)
        self._clock = clock
        self._start = clock()
        self._spent = 0.0
        self._longest = 0.0
        self._cells: dict[int, bytes] = {}

    def find(self, epochs: Iterable[int]) -> None:
        """Take up what was dreamed after these before the training was interrupted."""
        for epoch in epochs:
            if jpeg := self._cache.find(self._key(epoch), SIDE):
                self._cells[epoch] = jpeg

    def is_due(self, epoch: int) -> bool:
        """Whether there is time to dream after this epoch, and it is not dreamed yet. Epoch 0 is the base brain."""
        affordable = not self._spent or self._spent + self._longest <= SHARE * (self._clock() - self._start)
        return epoch not in self._cells and affordable

    def dream(self, brain: Brain, epoch: int) -> Generator[Progress, None, None]:
        """Dream this epoch's cell. Raises OutOfMemoryError, StorageError."""
        start = self._clock()
        settings = DreamSettings().replace(brain=brain.card.name, layers=self._layers, **SETTINGS)
        dreamt = yield from dream(as_image(self._square), brain, settings)
        jpeg = encode_cell(dreamspace.enter(dreamt, 0.0, brain.device))
        self._cache.keep(self._key(epoch), jpeg)
        self._cells[epoch] = jpeg
        took = self._clock() - start
        self._longest = max(self._longest, took)
        if epoch:  # the base brain's dream is once for all: it takes nothing from the others' share
            self._spent += took

    def draw(self, reports: Sequence[EpochReport], title: str, source: str) -> Pillow.Image:
        """The sheet so far: RGB, sRGB. source: the name of what is dreamed from. Raises InputError with no cell."""
        told = {report.epoch: report for report in reports}
        best = best_of(reports).epoch if reports else 0
        shown = _evenly(sorted(self._cells), MAX_CELLS)
        cells = [self._cell(epoch, told.get(epoch), "the brain" if epoch == best else "") for epoch in shown]
        layers = ", ".join(name for name, _ in self._layers)
        return draw_sheet(cells, SIDE, title, f"what it dreams after each epoch  ·  {layers}  ·  from {source}")

    def __contains__(self, epoch: int) -> bool:
        return epoch in self._cells

    def __len__(self) -> int:
        return len(self._cells)

    def _cell(self, epoch: int, report: EpochReport | None, caption: str) -> Cell:
        title = f"epoch {epoch}" if epoch else "before"
        note = "" if report is None else f"{report.validation_accuracy:.0%} right"
        return Cell("", title, note, caption if epoch else "", self._cells[epoch])

    def _key(self, epoch: int) -> str:
        made_from = {
            "engine": fingerprint(self._square.device),
            "layers": [list(layer) for layer in self._layers],
            "settings": SETTINGS,
            "source": content_hash(self._square.cpu().numpy().tobytes()),
        }
        return f"epoch-{epoch:05}-{canonical_hash(made_from)[:16]}"


def _evenly(epochs: Sequence[int], most: int) -> list[int]:
    """At most so many of these, the first and the last among them."""
    if len(epochs) <= most:
        return list(epochs)
    return [epochs[round(place * (len(epochs) - 1) / (most - 1))] for place in range(most)]
