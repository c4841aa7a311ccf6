# SPDX-License-Identifier: GPL-3.0-or-later
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from blender_deepdream.engine.color import Array
from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image, read_mask
from blender_deepdream.protocol.errors import ImageError
from blender_deepdream.protocol.messages import ColorSpace


def save(path: Path, parts: list[tuple[tuple[str, ...], Array]], kind: str = "float") -> None:
    """Write a file with OpenImageIO itself: parts are pairs of channel names and pixels, each a subimage."""
    specs = []
    for index, (names, pixels) in enumerate(parts):
        spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
        spec.channelnames = names
        if len(parts) > 1:
            spec.attribute("oiio:subimagename", f"part{index}")
        specs.append(spec)
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), specs)
    for index, (_, pixels) in enumerate(parts):
        assert index == 0 or output.open(str(path), specs[index], "AppendSubimage")
        assert output.write_image(np.ascontiguousarray(pixels))
    assert output.close()


def numbered(channels: int) -> Array:
    """Pixels whose channel c is c + 1 everywhere."""
    return np.broadcast_to(np.arange(1, channels + 1), (4, 5, channels)).astype(np.float32)


@pytest.mark.parametrize("names", ["ABGR", "RGBA", "GARB"])
def test_channels_are_found_by_name_in_any_order(tmp_path, names):
    save(tmp_path / "image.exr", [(tuple(names), numbered(4))])
    image = read_image(tmp_path / "image.exr")
    assert image.pixels[0, 0].tolist() == [names.index(name) + 1 for name in "RGBA"]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("ViewLayer.Combined.R ViewLayer.Combined.G ViewLayer.Combined.B ViewLayer.Combined.A", [1, 2, 3, 4]),
        ("Image.R Image.G Image.B", [1, 2, 3]),
        ("V.DiffCol.R V.DiffCol.G V.DiffCol.B V.Combined.R V.Combined.G V.Combined.B V.Depth.Z", [4, 5, 6]),
        ("Fog.R Fog.G Fog.B R G B A", [4, 5, 6, 7]),
        ("Depth.Z Fog.R Fog.G Fog.B", [2, 3, 4]),
        ("R x1 x2 x3 x4 x5 x6 G B", [1, 8, 9]),
        ("Y", [1]),
        ("Depth.Z", [1]),
        ("Y A", [1, 2]),
    ],
)
def test_the_picture_is_found_among_layers(tmp_path, names, chosen):
    channels = tuple(names.split())
    save(tmp_path / "image.exr", [(channels, numbered(len(channels)))])
    assert read_image(tmp_path / "image.exr").pixels[0, 0].tolist() == chosen


def test_the_picture_is_found_among_the_parts_of_a_multipart_file(tmp_path):
    passes = ("V.Normal.X", "V.Normal.Y", "V.Normal.Z")
    combined = ("V.Combined.R", "V.Combined.G", "V.Combined.B", "V.Combined.A")
    save(tmp_path / "image.exr", [(passes, numbered(3)), (combined, numbered(4))])
    assert read_image(tmp_path / "image.exr").pixels[0, 0].tolist() == [1, 2, 3, 4]


def test_a_file_without_color_says_what_it_has(tmp_path):
    save(tmp_path / "image.exr", [(("N.X", "N.Y", "N.Z"), numbered(3))])
    with pytest.raises(ImageError, match=r"no grey, RGB or RGBA.*N\.X, N\.Y"):
        read_image(tmp_path / "image.exr")


@pytest.mark.parametrize("kind", ["half", "float"])
def test_float_files_are_scene_linear(tmp_path, kind):
    save(tmp_path / "image.exr", [(tuple("RGB"), numbered(3))], kind)
    image = read_image(tmp_path / "image.exr")
    assert image.color_space == ColorSpace.LINEAR_REC709
    assert image.pixels.max() == 3


@pytest.mark.parametrize(("kind", "suffix"), [("uint8", "png"), ("uint16", "png"), ("uint8", "jpg"), ("uint8", "tif")])
def test_integer_files_are_srgb_in_0_to_1(tmp_path, kind, suffix):
    save(tmp_path / f"image.{suffix}", [(tuple("RGB"), np.full((8, 8, 3), np.iinfo(kind).max, kind))], kind)
    image = read_image(tmp_path / f"image.{suffix}")
    assert image.color_space == ColorSpace.SRGB
    assert image.pixels.max() == 1


def test_a_named_color_space_is_believed(tmp_path):
    save(tmp_path / "image.exr", [(tuple("RGB"), numbered(3))])
    assert read_image(tmp_path / "image.exr", ColorSpace.ACESCG).color_space == ColorSpace.ACESCG


def test_colors_of_a_png_are_not_multiplied_by_alpha(tmp_path):
    pixels = np.zeros((2, 2, 4), np.float32)
    pixels[..., 0], pixels[..., 3] = 1, 10 / 255
    write_image(Image(pixels, ColorSpace.SRGB, premultiplied=False), tmp_path / "image.png")
    image = read_image(tmp_path / "image.png")
    assert not image.premultiplied
    np.testing.assert_allclose(image.pixels, pixels, atol=1e-7)


def test_the_suffix_does_not_matter(tmp_path, scene):
    write_image(scene, tmp_path / "image.exr")
    (tmp_path / "image.exr").rename(tmp_path / "0123abcd")
    assert np.array_equal(read_image(tmp_path / "0123abcd").pixels, scene.pixels)


def test_a_file_called_like_a_format(tmp_path, scene, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(scene, tmp_path / "image.exr")
    (tmp_path / "image.exr").rename(tmp_path / "png")
    relative = (tmp_path / "png").relative_to(tmp_path)
    assert np.array_equal(read_image(relative).pixels, scene.pixels)


def test_a_mask_is_the_mean_of_the_colors(tmp_path):
    save(tmp_path / "mask.exr", [(tuple("RGBA"), numbered(4))])
    mask = read_mask(tmp_path / "mask.exr")
    assert mask.shape == (4, 5)
    assert np.all(mask == 2)


@pytest.mark.parametrize("suffix", ["exr", "png", "jpg", "tif"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_a_file_cut_short_is_refused(tmp_path, suffix, part):
    path = tmp_path / f"image.{suffix}"
    pixels = np.random.default_rng(0).random((150, 160, 3), np.float32)
    write_image(Image(pixels), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(path)


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "is empty"), (b"hello, I am a text\n", "is not an EXR"), (b"\0" * 4096, "is not an EXR")]
)
def test_what_is_no_image_is_refused(tmp_path, data, said):
    (tmp_path / "image.exr").write_bytes(data)
    with pytest.raises(ImageError, match=said):
        read_image(tmp_path / "image.exr")


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(ImageError, match="No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", ["exr", "png", "jpg", "tif"])
def test_noise_after_a_good_beginning_is_refused(tmp_path, suffix):
    path = tmp_path / f"image.{suffix}"
    write_image(Image(np.zeros((40, 40, 3), np.float32)), path)
    start = path.read_bytes()[:8]
    path.write_bytes(start + np.random.default_rng(0).bytes(5000))
    with pytest.raises(ImageError):
        read_image(path)


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def huge_exr(width: int, height: int, folder: Path) -> bytes:
    """A good small file whose data and display windows are then overwritten."""
    small = folder / "small.exr"
    write_image(Image(np.zeros((4, 4, 3), np.float32)), small)
    old, new = struct.pack("<4i", 0, 0, 3, 3), struct.pack("<4i", 0, 0, width - 1, height - 1)
    data = small.read_bytes()
    assert data.count(old) == 2
    return data.replace(old, new)


@pytest.mark.parametrize("size", [(100_000, 100_000), (100_000, 1), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize("kind", ["png", "exr"])
def test_a_header_that_claims_too_much_takes_no_memory(tmp_path, kind, size):
    path = tmp_path / f"image.{kind}"
    path.write_bytes(huge_png(*size) if kind == "png" else huge_exr(size[0], size[1], tmp_path))
    tracemalloc.start()
    with pytest.raises(ImageError):
        read_image(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


def test_too_large_is_said_with_the_limit(tmp_path):
    (tmp_path / "image.png").write_bytes(huge_png(100_000, 10))
    with pytest.raises(ImageError, match=r"too large: 100000 x 10 .*65,536"):
        read_image(tmp_path / "image.png")


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 5), (0, 4, 3), (4, 4, 0)])
def test_what_is_no_image_cannot_be_made(shape):
    with pytest.raises(ImageError):
        Image(np.zeros(shape, np.float32))


def test_an_image_knows_its_type_and_color_space():
    with pytest.raises(ImageError):
        Image(np.zeros((2, 2, 3)))  # type: ignore[arg-type]
    with pytest.raises(ImageError):
        Image(np.zeros((2, 2, 3), np.float32), ColorSpace.AUTO)


def test_parts_of_an_image():
    image = Image(np.array([[[0.1, 0.2, 0.3, 0.5], [0.1, 0.2, 0.3, 0.0]]], np.float32))
    assert (image.height, image.width) == (1, 2)
    assert image.alpha is not None
    assert image.alpha.tolist() == [[0.5, 0.0]]
    np.testing.assert_allclose(image.straight_color()[0], np.array([[0.2, 0.4, 0.6], [0, 0, 0]]))
    assert Image(image.pixels[..., :1].copy()).alpha is None
    assert Image(image.pixels[..., 2:].copy()).color.shape == (1, 2, 1)


def test_an_image_in_another_space_and_back(scene):
    there = scene.in_space(ColorSpace.ACESCG)
    assert there.color_space == ColorSpace.ACESCG
    np.testing.assert_allclose(there.in_space(scene.color_space).pixels, scene.pixels, atol=1e-4)
    assert scene.in_space(scene.color_space) is scene
