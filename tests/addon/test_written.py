# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import compat
from blender_deepdream.addon.written import check_written
from blender_deepdream.protocol.errors import StorageError

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".exr": "OPEN_EXR"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_blender_writes_is_whole_and_a_piece_of_it_is_not(
    scene: bpy.types.Scene, tmp_path: Path, suffix: str
) -> None:
    compat.set_format(scene.render.image_settings, FORMATS[suffix])
    path = tmp_path / f"frame{suffix}"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    check_written(path)
    data = path.read_bytes()
    for length in (0, 4, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(StorageError):
            check_written(path)


def test_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        check_written(tmp_path / "none.png")
