# SPDX-License-Identifier: GPL-3.0-or-later
import io
import os

import pytest
from PIL import Image as Pillow

from blender_deepdream.engine import cell_cache
from blender_deepdream.engine.cell_cache import CellCache


def jpeg(side: int = 8) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (side, side), "teal").save(file, "JPEG")
    return file.getvalue()


def test_what_is_kept_is_found(tmp_path):
    cache = CellCache(tmp_path / "new" / "folder")
    assert cache.find("a", 8) is None
    cache.keep("a", jpeg())
    assert cache.find("a", 8) == jpeg()
    assert cache.find("b", 8) is None
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("damage", [lambda data: data[:-40], lambda _: b"", lambda _: b"GIF89a", lambda _: jpeg(9)])
def test_a_damaged_cell_counts_as_none(tmp_path, damage):
    cache = CellCache(tmp_path)
    (tmp_path / "a.jpg").write_bytes(damage(jpeg()))
    assert cache.find("a", 8) is None
    cache.keep("a", jpeg())
    assert cache.find("a", 8) == jpeg()


def test_the_longest_unused_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_cache, "MAX_CELLS", 8)
    cache = CellCache(tmp_path)
    for number in range(8):
        cache.keep(str(number), jpeg())
        os.utime(tmp_path / f"{number}.jpg", (number, number))
    cache.find("0", 8)  # is used now
    cache.keep("new", jpeg())
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["0", "3", "4", "5", "6", "7", "new"]
