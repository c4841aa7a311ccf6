# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
import torch

from blender_deepdream.engine.chain_files import read_detail, read_vectors, write_detail
from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.temporal import Detail
from blender_deepdream.protocol.errors import ImageError

from .exr_files import write_channels, write_exr

ENERGIES = (0.1, 0.03, 0.02, 0.012345678901234)


@pytest.fixture
def detail() -> Detail:
    planes = torch.randn(1, 3, 20, 30, generator=torch.Generator().manual_seed(0)).mul(0.1).half()
    return Detail(planes, ENERGIES, 0.09, (("lite0 _blocks.4", 0.25), ("squeezenet fire9", -0.75)))


def test_a_detail_comes_back_bit_for_bit(detail, tmp_path):
    write_detail(detail, tmp_path / "detail.exr")
    again = read_detail(tmp_path / "detail.exr")
    assert torch.equal(again.planes, detail.planes)
    assert (again.energies, again.reach, again.mixture) == (detail.energies, detail.reach, detail.mixture)


def test_the_same_detail_has_the_same_bytes(detail, tmp_path):
    for name in ("one.exr", "other.exr"):
        write_detail(detail, tmp_path / name)
    assert (tmp_path / "one.exr").read_bytes() == (tmp_path / "other.exr").read_bytes()


def test_a_picture_is_no_detail(tmp_path):
    write_image(Image(np.zeros((4, 5, 3), np.float32)), tmp_path / "picture.exr")
    with pytest.raises(ImageError, match="not the detail"):
        read_detail(tmp_path / "picture.exr")


@pytest.mark.parametrize(
    "held", ["", "5", "[]", '["a"]', "[1e999]", "[-1]", "[1, 1, 1, 1]", "[0, 1, 1, 1, 1]", "[" * 9999, f"[{10**400}]"]
)
def test_damaged_attributes_are_told(held, tmp_path):
    spec = oiio.ImageSpec(5, 4, 3, "half")
    spec.attribute("deepdream:held", held)
    write_exr(tmp_path / "bad.exr", spec, np.zeros((4, 5, 3), np.float16))
    with pytest.raises(ImageError, match="detail of a dream"):
        read_detail(tmp_path / "bad.exr")


@pytest.mark.parametrize(
    "mixture", ["", "5", "[5]", '[["a"]]', '[["a", "b"]]', '[["a", 2]]', '[["a", NaN]]', f'[["a", {10**400}]]']
)
def test_damaged_mixtures_are_told(mixture, tmp_path):
    spec = oiio.ImageSpec(5, 4, 3, "half")
    spec.attribute("deepdream:held", "[1, 1, 1, 1, 1]")
    spec.attribute("deepdream:mixture", mixture)
    write_exr(tmp_path / "bad.exr", spec, np.zeros((4, 5, 3), np.float16))
    with pytest.raises(ImageError, match="detail of a dream"):
        read_detail(tmp_path / "bad.exr")


def test_a_detail_cut_short_is_told(detail, tmp_path):
    path = tmp_path / "detail.exr"
    write_detail(detail, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ImageError):
        read_detail(path)


def write_passes(path: Path, names: list[str]) -> None:
    write_channels(path, {name: np.full((4, 6), number, np.float32) for number, name in enumerate(names)})


def test_vectors_and_depth_are_found_among_the_passes(tmp_path):
    names = ["View.Combined.R", "View.Depth.Z", "View.Vector.W", "View.Vector.X", "View.Vector.Y", "View.Vector.Z"]
    write_passes(tmp_path / "raw.exr", names)
    vectors = read_vectors(tmp_path / "raw.exr")
    assert vectors.motion[2, 3].tolist() == [3, 4, 5, 2]
    assert vectors.depth is not None
    assert vectors.depth[2, 3] == 1


def test_a_render_without_vectors_says_why(tmp_path):
    write_passes(tmp_path / "raw.exr", ["View.Combined.R", "View.Depth.Z"])
    with pytest.raises(ImageError, match="Vector") as caught:
        read_vectors(tmp_path / "raw.exr")
    assert "Motion blur" in caught.value.hint
