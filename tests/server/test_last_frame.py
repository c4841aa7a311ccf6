# SPDX-License-Identifier: GPL-3.0-or-later
"""What is held in memory says what the files say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from blender_deepdream.engine.chain_files import write_detail
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.temporal import Chain, Detail
from blender_deepdream.protocol.errors import ImageError
from blender_deepdream.protocol.follows import Follows
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.server.last_frame import LastFrame

HASH, OTHER = "a" * 64, "b" * 64
CPU = torch.device("cpu")


@pytest.fixture
def detail() -> Detail:
    planes = torch.randn(1, 3, 12, 16, generator=torch.Generator().manual_seed(0)).half()
    return Detail(planes, (0.1, 0.03, 0.02, 0.01), 0.09, (("lite0", 1.0),))


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(torch.rand(12, 16, 3, generator=torch.Generator().manual_seed(1)).numpy())


def chain(last: LastFrame, folder: Path, image: Image) -> Chain:
    request = DreamRequest(HASH, follows=Follows(HASH, OTHER), keep=True)
    return last.chain(request, lambda blob: folder / blob[0], folder / "handed-on", image, CPU)


def test_memory_and_file_are_the_same(detail: Detail, image: Image, tmp_path: Path) -> None:
    from blender_deepdream.engine.image_output import write_image

    write_image(image, tmp_path / "b.exr")
    (tmp_path / "b.exr").rename(tmp_path / "b")
    write_detail(detail, tmp_path / "a.exr")
    (tmp_path / "a.exr").rename(tmp_path / "a")
    from_file = chain(LastFrame(), tmp_path, image).before
    remembering = LastFrame()
    remembering._write(tmp_path / "a.exr", detail)
    remembering.stored(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"nobody looks")
    from_memory = chain(remembering, tmp_path, image).before
    assert from_file is not None
    assert from_memory is not None
    assert torch.equal(from_file.planes, from_memory.planes)
    assert (from_file.energies, from_file.reach, from_file.mixture) == (detail.energies, detail.reach, detail.mixture)
    assert from_memory.energies == detail.energies


def test_another_frame_is_read_from_its_file(detail: Detail, image: Image, tmp_path: Path) -> None:
    remembering = LastFrame()
    remembering._write(tmp_path / "other.exr", detail)
    remembering.stored(tmp_path / "other.exr")
    (tmp_path / "a").write_bytes(b"no image")
    with pytest.raises(ImageError):
        chain(remembering, tmp_path, image)
