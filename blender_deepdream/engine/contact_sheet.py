# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells of an atlas on one sheet: equal gaps on a quiet dark ground, small type, the brain's name at the head."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ..protocol.errors import ImageError, InputError
from .atlas import Cell
from .brain import BrainCard

GROUND, BRIGHT, QUIET = (22, 22, 24), (232, 230, 226), (146, 144, 142)
MARGIN, GAP = 28, 14
HEAD = 66
"""Height of the title and of the line below it."""
LEGEND = 42
"""Height of what is written below a cell."""

MAX_PIXELS = 2**27

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def brain_sheet(card: BrainCard, cells: Sequence[Cell], size: int, source: str, channels_of: str = "") -> Pillow.Image:
    """The sheet of a brain's cells, its head saying what they are.

    source: the name of what they were dreamed from. channels_of: the layer whose channels they show, if they do.
    Raises InputError for one that is too large.
    """
    if channels_of:
        shown = f"the {len(cells)} strongest channels of {channels_of}"
    elif [cell.layer for cell in cells] == [layer.name for layer in card.layers]:
        shown = f"{len(cells)} layers, early to late"
    else:
        shown = f"{len(cells)} pictures"
    return draw_sheet(
        cells, size, card.title, "  ·  ".join(filter(None, (card.name, card.licence, shown, f"from {source}")))
    )


def draw_sheet(cells: Sequence[Cell], size: int, title: str, subtitle: str) -> Pillow.Image:
    """A contact sheet, RGB, sRGB. size: the cells' side in pixels. Raises InputError for one that is too large."""
    columns = column_count(len(cells))
    rows = math.ceil(len(cells) / columns)
    width = 2 * MARGIN + columns * size + (columns - 1) * GAP
    height = 2 * MARGIN + HEAD + rows * (size + LEGEND) + (rows - 1) * GAP
    if width * height > MAX_PIXELS:
        raise InputError(f"The sheet would have {width} x {height} pixels.", "Make the cells smaller, or fewer.")
    sheet = Pillow.new("RGB", (width, height), GROUND)
    pen = ImageDraw.Draw(sheet)
    write_head(pen, width, title, subtitle)
    for index, cell in enumerate(cells):
        row, column = divmod(index, columns)
        left, top = MARGIN + column * (size + GAP), MARGIN + HEAD + row * (size + LEGEND + GAP)
        with Pillow.open(io.BytesIO(cell.jpeg), formats=["JPEG"]) as picture:
            sheet.paste(picture, (left, top))
        _write_legend(pen, (left, top + size + 6), size, cell)
    return sheet


def write_head(pen: ImageDraw.ImageDraw, width: int, title: str, subtitle: str) -> None:
    """Title and subtitle within HEAD below the upper margin of a sheet of this width."""
    _write(pen, (MARGIN, MARGIN - 5), title, 26, BRIGHT, width - 2 * MARGIN)
    _write(pen, (MARGIN, MARGIN + 31), subtitle, 13, QUIET, width - 2 * MARGIN)


def column_count(cells: int) -> int:
    """How many columns make a sheet that is nearly square, with few empty places; rather wide than high."""
    root = math.sqrt(cells)
    return min(
        range(max(1, math.floor(root)), math.ceil(root) + 2),
        key=lambda columns: (-cells % columns + abs(columns - root - 0.3), columns),
    )


def encode_sheet(sheet: Pillow.Image, suffix: str) -> bytes:
    """The sheet as the bytes of a .png or .jpg file: the same sheet, the same bytes. Raises ImageError for others."""
    check_suffix(suffix)
    file = io.BytesIO()
    if _FORMATS[suffix.lower()] == "PNG":
        sheet.save(file, "PNG", optimize=True)
    else:
        sheet.save(file, "JPEG", quality=90, subsampling=0, optimize=True)
    return file.getvalue()


def check_suffix(suffix: str) -> None:
    """Raises ImageError for a suffix that sheets are not written with."""
    if suffix.lower() not in _FORMATS:
        raise ImageError(f"A sheet cannot be written as {suffix or 'a file without suffix'}.", "Use .png or .jpg.")


def cell_file(number: int, cell: Cell) -> Path:
    """A file name for one cell's JPEG, in order and free of what folders and systems object to."""
    return Path(f"{number:03}_{re.sub(r'[^0-9A-Za-z._-]', '_', cell.layer)[:100]}.jpg")


def _write_legend(pen: ImageDraw.ImageDraw, place: tuple[int, int], size: int, cell: Cell) -> None:
    left, top = place
    note = _type(11).getlength(cell.note)
    if note + 60 < size:
        pen.text((left + size - note, top + 2), cell.note, QUIET, _type(11))
    else:
        note = 0
    _write(pen, (left, top), cell.title, 13, BRIGHT, int(size - note - (8 if note else 0)))
    _write(pen, (left, top + 17), cell.caption, 12, QUIET, size)


def _write(
    pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, height: int, ink: tuple[int, int, int], width: int
) -> None:
    """One line, its end cut off if it is wider than `width` pixels; names of layers differ at their ends, so theirs
    begin with dots."""
    font = _type(height)
    line = " ".join(text.split())
    from_end = "." in line and " " not in line
    line = line[-200:] if from_end else line[:200]
    while font.getlength(line) > width and len(line) > 1:
        line = f"…{line[2:]}" if from_end else f"{line[:-2].rstrip()}…"
    pen.text(place, line, ink, font)


def _type(height: int) -> ImageFont.FreeTypeFont:
    """Pillow's own typeface. Raises InputError where Pillow was built without FreeType."""
    font = ImageFont.load_default(height)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise InputError("This Pillow cannot write text.", "Install Pillow's own wheel: pip install --force Pillow")
    return font
