# SPDX-License-Identifier: GPL-3.0-or-later
import subprocess
import sys

import numpy as np
import OpenImageIO as oiio
import pytest

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.protocol.errors import ImageError, StorageError
from blender_deepdream.protocol.messages import ColorSpace, Depth

SUFFIXES = ["exr", "png", "jpg", "tif"]


def random_image(channels: int = 4, side: int = 33) -> Image:
    pixels = np.random.default_rng(0).random((side, side + 1, channels), np.float32)
    return Image(pixels, ColorSpace.LINEAR_REC709)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_exr_keeps_every_bit(tmp_path, channels):
    image = random_image(channels)
    image.pixels[0, 0], image.pixels[1, 1], image.pixels[2, 2] = 1e6, -3, np.inf
    image.pixels[3, 3] = np.nan
    write_image(image, tmp_path / "image.exr")
    back = read_image(tmp_path / "image.exr")
    assert back.pixels.tobytes() == image.pixels.tobytes()
    assert back.premultiplied
    assert back.color_space == ColorSpace.LINEAR_REC709


def test_exr_multiplies_straight_alpha_in(tmp_path):
    image = Image(np.full((2, 2, 4), 0.5, np.float32), premultiplied=False)
    write_image(image, tmp_path / "image.exr")
    assert read_image(tmp_path / "image.exr").pixels[0, 0].tolist() == [0.25, 0.25, 0.25, 0.5]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_image_is_the_same_bytes(tmp_path, suffix):
    first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
    write_image(random_image(), first)
    write_image(random_image(), second)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("suffix", "tolerance"), [("png", 0.5 / 255), ("tif", 0.5 / 65535), ("jpg", 0.02)])
@pytest.mark.parametrize("channels", [1, 3])
def test_scene_linear_is_encoded_for_the_eye(tmp_path, suffix, tolerance, channels):
    image = Image(np.full((16, 16, channels), 0.18, np.float32))
    write_image(image, tmp_path / f"image.{suffix}")
    back = read_image(tmp_path / f"image.{suffix}")
    assert back.color_space == ColorSpace.SRGB
    np.testing.assert_allclose(back.pixels, 0.46136, atol=tolerance + 1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_alpha_goes_along_straight(tmp_path, suffix):
    pixels = np.array([[[0.25, 0.25, 0.25, 0.5]] * 4] * 4, np.float32)
    write_image(Image(pixels), tmp_path / f"image.{suffix}")
    back = read_image(tmp_path / f"image.{suffix}")
    np.testing.assert_allclose(back.pixels[0, 0], [0.73536, 0.73536, 0.73536, 0.5], atol=0.002)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_straight_color_that_alpha_hides_is_kept(tmp_path, suffix):
    pixels = np.array([[[0.2, 0.4, 0.6, 0.0]] * 4] * 4, np.float32)
    write_image(Image(pixels, ColorSpace.SRGB, premultiplied=False), tmp_path / f"image.{suffix}")
    np.testing.assert_allclose(read_image(tmp_path / f"image.{suffix}").pixels, pixels, atol=1e-4)


def test_values_beyond_are_clipped_and_nan_is_black(tmp_path):
    image = Image(np.array([[[np.nan, np.inf, -np.inf], [9, -9, 0.5]]], np.float32), ColorSpace.SRGB)
    write_image(image, tmp_path / "image.png")
    np.testing.assert_allclose(read_image(tmp_path / "image.png").pixels[0], np.array([[0, 1, 0], [1, 0, 128 / 255]]))


@pytest.mark.parametrize(
    ("suffix", "depth", "type_"),
    [
        ("png", "8", "uint8"),
        ("png", "16", "uint16"),
        ("jpg", "8", "uint8"),
        ("tif", "8", "uint8"),
        ("tif", "16", "uint16"),
        ("tif", "float", "float"),
        ("exr", "half", "half"),
        ("exr", "float", "float"),
    ],
)
def test_depths_by_kind_of_file(tmp_path, suffix, depth, type_):
    path = tmp_path / f"image.{suffix}"
    image = random_image(3)
    write_image(image, path, Depth(depth))
    assert str(oiio.ImageBuf(str(path)).spec().format) == type_
    tolerance = {"8": 0.08 if suffix == "jpg" else 0.006, "16": 1e-4, "half": 1e-3, "float": 0}[depth]
    back = read_image(path).in_space(ColorSpace.LINEAR_REC709).pixels
    np.testing.assert_allclose(back[8:, 8:].mean(), image.pixels[8:, 8:].mean(), atol=max(tolerance, 1e-7))
    if suffix != "jpg":
        np.testing.assert_allclose(back, image.pixels, atol=tolerance)


@pytest.mark.parametrize(
    ("suffix", "depth"), [("jpg", "16"), ("png", "float"), ("png", "half"), ("exr", "8"), ("tif", "half")]
)
def test_a_depth_that_a_file_cannot_have_is_said(tmp_path, suffix, depth):
    with pytest.raises(ImageError, match=f"cannot have depth {depth}"):
        write_image(random_image(), tmp_path / f"image.{suffix}", Depth(depth))
    assert not list(tmp_path.iterdir())


def test_half_keeps_the_brightest_light_finite_and_infinity_infinite(tmp_path):
    image = Image(np.array([[[1e9, -1e9, np.inf]]], np.float32))
    write_image(image, tmp_path / "image.exr", Depth.HALF)
    assert read_image(tmp_path / "image.exr").pixels.tolist() == [[[65504, -65504, np.inf]]]


def test_a_roll_off_shows_what_a_clip_loses(tmp_path):
    image = Image(np.array([[[0.5] * 3, [2] * 3, [8] * 3]], np.float32))
    for highlights, levels in (("clip", [188, 255, 255]), ("roll-off", [188, 246, 253])):
        write_image(image, tmp_path / "image.png", highlights=highlights)
        seen = read_image(tmp_path / "image.png").pixels[0, :, 0] * 255
        np.testing.assert_allclose(seen, levels, atol=1.5)


def test_an_unknown_suffix_lists_those_there_are(tmp_path):
    with pytest.raises(ImageError, match=r"\.exr, \.png"):
        write_image(random_image(), tmp_path / "image.webp")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside(tmp_path, suffix):
    path = tmp_path / f"image.{suffix}"
    path.write_bytes(b"old")
    write_image(random_image(), path)
    assert read_image(path).width == 34
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(StorageError, match="No such file or directory"):
        write_image(random_image(), tmp_path / "none" / "image.exr")


def test_a_folder_in_the_way_is_said(tmp_path):
    (tmp_path / "image.png").mkdir()
    with pytest.raises(StorageError):
        write_image(random_image(), tmp_path / "image.png")
    assert len(list(tmp_path.iterdir())) == 1


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image
from blender_deepdream.protocol.errors import StorageError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
pixels = np.random.default_rng(0).random((200, 200, 3), np.float32)
for path in map(Path, sys.argv[1:]):
    try:
        write_image(Image(pixels), path)
    except StorageError as error:
        print(path.suffix, error.code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot pretend that a disk is full")
def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path):
    paths = [tmp_path / f"image.{suffix}" for suffix in SUFFIXES]
    for path in paths:
        path.write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", FULL_DISK, *paths], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [f".{suffix} storage" for suffix in SUFFIXES]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.read_bytes() == b"old" for path in paths)
