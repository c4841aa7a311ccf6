# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import rendering
from blender_deepdream.addon.exr import RenderPass, check_complete, read_contents
from blender_deepdream.protocol.errors import ImageError


@pytest.fixture
def raw(scene: bpy.types.Scene, tmp_path: Path) -> Path:
    """Several chunks of pixels (16 lines each), several passes."""
    rendering.render_3d(scene, tmp_path / "raw.exr")
    return tmp_path / "raw.exr"


def test_passes_of_a_render(raw: Path) -> None:
    contents = read_contents(raw)
    assert RenderPass("ViewLayer", "Combined", "RGBA") in contents.passes
    assert RenderPass("ViewLayer", "Vector", "XYZW") in contents.passes
    check_complete(raw)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.9, 0.999])
def test_cut_short(raw: Path, share: float) -> None:
    data = raw.read_bytes()
    raw.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError):
        check_complete(raw)


def test_table_of_zeros_is_what_a_killed_writer_leaves(raw: Path) -> None:
    data = bytearray(raw.read_bytes())
    table = data.find(struct.pack("<Q", _first_offset(raw)))
    data[table : table + 8] = bytes(8)
    raw.write_bytes(data)
    with pytest.raises(ImageError):
        check_complete(raw)


def _first_offset(path: Path) -> int:
    """The first chunk follows the table at once, so its offset is found where the table ends."""
    data = path.read_bytes()
    for place in range(300, len(data) - 8):
        (offset,) = struct.unpack_from("<Q", data, place)
        if place < offset < place + 400 and (offset - place) % 8 == 0:
            return int(offset)
    raise AssertionError("no table found")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image at all, but long enough to be read as a header",
        struct.pack("<ii", 20000630, 2) + b"x" * 1000,
        struct.pack("<ii", 20000630, 2) + b"name\0type\0" + struct.pack("<i", -5) + b"\0",
        struct.pack("<ii", 20000630, 2) + b"name\0type\0" + struct.pack("<i", 2**31 - 1),
        struct.pack("<ii", 20000630, 2) + b"\0",
        struct.pack("<ii", 20000630, 2) + b"\xff\xfe\0",
    ],
)
def test_what_is_no_exr_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.exr").write_bytes(data)
    with pytest.raises(ImageError):
        read_contents(tmp_path / "bad.exr")
    with pytest.raises(ImageError):
        check_complete(tmp_path / "bad.exr")
