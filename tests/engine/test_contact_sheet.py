# SPDX-License-Identifier: GPL-3.0-or-later
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from blender_deepdream.engine import contact_sheet
from blender_deepdream.engine.atlas import Cell
from blender_deepdream.engine.contact_sheet import (
    GROUND,
    brain_sheet,
    cell_file,
    check_suffix,
    column_count,
    draw_sheet,
    encode_sheet,
)
from blender_deepdream.protocol.errors import ImageError, InputError


def cell(color: str, layer: str = "conv1", caption: str = "lines") -> Cell:
    file = io.BytesIO()
    Pillow.new("RGB", (64, 64), color).save(file, "JPEG", quality=95, subsampling=0)
    return Cell(layer, layer, "64 channels", caption, file.getvalue())


def test_cells_stand_in_rows_with_equal_gaps():
    sheet = np.asarray(draw_sheet([cell("red"), cell("lime"), cell("blue"), cell("white")], 64, "A brain", "MIT"))
    strong = [np.argwhere((np.abs(sheet.astype(int) - color) < 30).all(axis=2)) for color in np.eye(3, dtype=int) * 255]
    red, lime, blue = ((part.min(axis=0), part.max(axis=0)) for part in strong)
    for first, last in (red, lime, blue):
        assert (last - first == 63).all()
    assert red[0][0] == lime[0][0], "the first row"
    assert red[0][1] == blue[0][1], "the first column"
    assert lime[0][1] - red[1][1] - 1 == 14
    assert (sheet[0] == GROUND).all()


def test_the_title_and_legends_are_written():
    plain, titled = (np.asarray(draw_sheet([cell("red")], 64, title, "MIT")) for title in ("", "A brain"))
    assert (plain != titled).any()
    other = np.asarray(draw_sheet([cell("red", caption="waves")], 64, "", "MIT"))
    assert (plain != other).any()


@pytest.mark.parametrize("name", ["x" * 500, "a.b" * 200, "漢字 and\nlines", "", " "])
def test_any_name_stays_within_its_cell(name):
    sheet = np.asarray(draw_sheet([cell("red", name, name)], 64, name, name))
    assert (sheet[:, -20:] == GROUND).all()


@pytest.mark.parametrize(("cells", "columns"), [(1, 1), (2, 2), (4, 2), (8, 4), (9, 3), (10, 5), (16, 4), (12, 4)])
def test_sheets_are_nearly_square(cells, columns):
    assert column_count(cells) == columns


def test_the_same_sheet_is_the_same_bytes():
    sheets = [draw_sheet([cell("red")], 64, "A brain", "MIT") for _ in range(2)]
    for suffix, start in ((".png", b"\x89PNG"), (".JPG", b"\xff\xd8")):
        first, again = (encode_sheet(sheet, suffix) for sheet in sheets)
        assert first == again
        assert first.startswith(start)


def test_other_suffixes_and_giant_sheets_are_refused():
    for suffix in (".gif", "", ".exr"):
        with pytest.raises(ImageError, match=r"\.png"):
            check_suffix(suffix)
    with pytest.raises(InputError, match="pixels"):
        draw_sheet([cell("red")] * 512, 1024, "", "")


def test_cells_files_have_harmless_names():
    assert str(cell_file(7, cell("red", "../conv2/3x3:4+5"))) == "007_.._conv2_3x3_4_5.jpg"
    assert len(str(cell_file(1, cell("red", "x" * 500)))) < 120


def test_the_head_says_what_is_shown(brain, monkeypatch):
    heads: list[str] = []
    monkeypatch.setattr(contact_sheet, "draw_sheet", lambda _cells, _size, _title, head: heads.append(head))
    layers = [cell("red", layer.name) for layer in brain.card.layers]
    brain_sheet(brain.card, layers, 64, "dusk")
    brain_sheet(brain.card, layers[:3], 64, "in.png")
    brain_sheet(brain.card, layers[:3], 64, "dusk", "_blocks.9")
    assert heads == [
        "lite0  ·  Apache-2.0  ·  16 layers, early to late  ·  from dusk",
        "lite0  ·  Apache-2.0  ·  3 pictures  ·  from in.png",
        "lite0  ·  Apache-2.0  ·  the 3 strongest channels of _blocks.9  ·  from dusk",
    ]
