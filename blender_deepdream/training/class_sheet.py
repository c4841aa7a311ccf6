# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets of a data set's classes: what an artist looks at to see whether pictures were sorted well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image as Pillow

from ..engine.atlas import Cell, encode_cell
from ..engine.contact_sheet import draw_sheet
from .augmentation import middles
from .dataset import Picture
from .training_data import TrainingData

SIDE = 112
MOST = 48
"""Pictures on a sheet, from all over the class."""

_GREY = 0.35


def class_sheets(data: TrainingData) -> Iterator[tuple[str, Pillow.Image]]:
    """Each class's name and sheet, RGB, sRGB. Raises StorageError."""
    for label, name in enumerate(data.classes):
        members = [picture for picture in data.dataset.pictures if picture.label == label]
        places = np.linspace(0, len(members) - 1, min(MOST, len(members))).round()
        shown = [members[int(place)] for place in places]
        how_many = f"{len(members):,} pictures" + (f", {len(shown)} of them" if len(shown) < len(members) else "")
        cells = [_cell(data, picture) for picture in shown]
        yield name, draw_sheet(cells, SIDE, name, f"{data.dataset.folder.name}  ·  {how_many}")


def _cell(data: TrainingData, picture: Picture) -> Cell:
    pixels = torch.from_numpy(data.cache.pixels([picture.line]))
    image = middles(pixels, np.array([picture.line.aspect]), SIDE, _GREY)
    return Cell("", picture.path.stem, "", "", encode_cell(image))
