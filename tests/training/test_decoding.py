# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image
from blender_deepdream.protocol.messages import ColorSpace, Depth
from blender_deepdream.training.decoding import LeftOutError, Reason, decode

SIDE = 32


@pytest.fixture
def picture() -> Pillow.Image:
    """64 x 48: red above, blue below, green at the left of both."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24] = 220, 30, 40
    pixels[24:] = 30, 40, 220
    pixels[:, :16] = 20, 200, 30
    return Pillow.fromarray(pixels)


def corners(pixels: np.ndarray) -> list[str]:
    """Which colour is strongest near each corner, row by row; "-" where it is transparent."""
    places = [pixels[:, y, x] for y in (2, -3) for x in (2, -3)]
    return ["rgb"[int(color[:3].argmax())] if color[3] > 128 else "-" for color in places]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "gif", "bmp"])
def test_a_picture_becomes_an_upright_square(tmp_path: Path, picture: Pillow.Image, suffix: str):
    path = tmp_path / f"picture.{suffix}"
    picture.save(path)
    decoded = decode(path, SIDE)
    assert decoded.pixels.shape == (4, SIDE, SIDE)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.aspect == pytest.approx(64 / 48)
    assert corners(decoded.pixels) == ["g", "r", "g", "b"]
    assert decoded.pixels[3].min() == 255


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1", "CMYK", "RGBA", "I;16"])
def test_every_kind_of_pixels_is_read(tmp_path: Path, picture: Pillow.Image, mode: str):
    path = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    if mode == "I;16":
        Pillow.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(path)
    else:
        picture.convert(mode).save(path)
    expected = picture.convert("L") if mode in ("L", "LA", "I;16") else picture
    expected = expected.convert(mode).convert("RGB") if mode == "1" else expected.convert("RGB")
    found = decode(path, SIDE).pixels[:3].astype(int)
    wanted = np.asarray(expected.resize((SIDE, SIDE), Pillow.Resampling.LANCZOS)).transpose(2, 0, 1).astype(int)
    assert np.abs(found - wanted).mean() < 6


def test_sixteen_bits_of_colour_are_read(tmp_path: Path, picture: Pillow.Image):
    image = Image(np.asarray(picture, np.float32) / np.float32(255), ColorSpace.SRGB)
    for name, depth in (("deep.png", Depth.INT16), ("deep.tif", Depth.INT16), ("light.tif", Depth.FLOAT)):
        write_image(image, tmp_path / name, depth)
        assert corners(decode(tmp_path / name, SIDE).pixels) == ["g", "r", "g", "b"]


def test_scene_linear_light_enters_dream_space(tmp_path: Path):
    path = tmp_path / "render.exr"
    write_image(Image(np.full((40, 40, 3), 0.2140, np.float32), ColorSpace.LINEAR_REC709), path)
    pixels = decode(path, SIDE).pixels
    assert np.abs(pixels[:3].astype(int) - 127).max() <= 1
    assert (pixels[3] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_a_camera_that_was_held_upright_is_believed(
    tmp_path: Path, picture: Pillow.Image, orientation: int, suffix: str
):
    away = {
        1: (),
        2: (Pillow.Transpose.FLIP_LEFT_RIGHT,),
        3: (Pillow.Transpose.ROTATE_180,),
        4: (Pillow.Transpose.FLIP_TOP_BOTTOM,),
        5: (Pillow.Transpose.TRANSPOSE,),
        6: (Pillow.Transpose.ROTATE_90,),
        7: (Pillow.Transpose.TRANSVERSE,),
        8: (Pillow.Transpose.ROTATE_270,),
    }
    stored = picture
    for turn in away[orientation]:
        stored = stored.transpose(turn)
    exif = Pillow.Exif()
    exif[274] = orientation
    path = tmp_path / f"held.{suffix}"
    stored.save(path, exif=exif)
    decoded = decode(path, SIDE)
    assert decoded.aspect == pytest.approx(64 / 48)
    assert corners(decoded.pixels) == ["g", "r", "g", "b"]


def test_a_deep_tiff_is_turned_upright_too(tmp_path: Path, picture: Pillow.Image):
    import OpenImageIO as oiio

    turned = np.asarray(picture.transpose(Pillow.Transpose.ROTATE_90)).astype(np.uint16) * 257
    spec = oiio.ImageSpec(48, 64, 3, "uint16")
    spec.attribute("Orientation", 6)
    file = oiio.ImageOutput.create("tiff")
    assert file is not None
    file.open(str(tmp_path / "held.tif"), spec)
    file.write_image(np.ascontiguousarray(turned))
    file.close()
    assert corners(decode(tmp_path / "held.tif", SIDE).pixels) == ["g", "r", "g", "b"]


def test_colours_behind_nothing_do_not_bleed(tmp_path: Path):
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 0] = 255  # transparent, and red where nobody sees it
    pixels[20:44, 20:44] = 0, 0, 255, 255
    path = tmp_path / "sticker.png"
    Pillow.fromarray(pixels).save(path)
    decoded = decode(path, SIDE).pixels
    assert decoded[0].max() == 0
    assert (decoded[:3] <= decoded[3]).all()
    assert corners(decoded) == ["-"] * 4


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path, picture: Pillow.Image):
    for name in ("moves.webp", "moves.gif", "moves.png"):
        others = [Pillow.new("RGB", picture.size, "white")] * 2
        picture.save(tmp_path / name, save_all=True, append_images=others)
        assert corners(decode(tmp_path / name, SIDE).pixels) == ["g", "r", "g", "b"]


def test_a_wide_gamut_profile_is_converted(tmp_path: Path):
    # a profile whose red and blue are swapped: if it is heeded, it shows
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, blue = swapped.index(b"rXYZ"), swapped.index(b"bXYZ")
    data = bytearray(swapped)
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    description = data.index("sRGB".encode("utf-16-be"))
    data[description : description + 8] = "Swap".encode("utf-16-be")
    path = tmp_path / "profile.png"
    Pillow.new("RGB", (40, 40), (250, 10, 10)).save(path, icc_profile=bytes(data))
    red, _, blue, _ = decode(path, SIDE).pixels.mean((1, 2))
    assert red < 60
    assert blue > 200


def test_a_damaged_profile_is_passed_over(tmp_path: Path, picture: Pillow.Image):
    picture.save(tmp_path / "profile.png", icc_profile=b"not a profile")
    assert corners(decode(tmp_path / "profile.png", SIDE).pixels) == ["g", "r", "g", "b"]


def bomb() -> bytes:
    """A PNG of a few kilobytes that claims 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


def encoded(picture: Pillow.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.DAMAGED),
        (b"just words\n" * 50, Reason.NO_IMAGE),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), Reason.NO_IMAGE),
        (b"\x76\x2f\x31\x01" + bytes(500), Reason.DAMAGED),
        (b"II*\0" + bytes(500), Reason.DAMAGED),
        (bomb(), Reason.LARGE),
        (encoded(Pillow.new("RGB", (31, 400)), "PNG"), Reason.SMALL),
        (encoded(Pillow.new("RGBA", (64, 64)), "PNG"), Reason.EMPTY),
        (encoded(Pillow.effect_noise((300, 300), 90), "JPEG")[:4000], Reason.DAMAGED),
        (encoded(Pillow.effect_noise((300, 300), 90), "PNG")[:4000], Reason.DAMAGED),
        (encoded(Pillow.effect_noise((300, 300), 90), "WEBP")[:4000], Reason.DAMAGED),
        (encoded(Pillow.effect_noise((300, 300), 90), "TIFF")[:4000], Reason.DAMAGED),
    ],
)
def test_what_cannot_be_learned_from_is_left_out(tmp_path: Path, data: bytes, reason: Reason):
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(LeftOutError) as error:
        decode(path, SIDE)
    assert error.value.reason is reason


def test_an_exr_has_the_same_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_image(Image(np.ones((50, 50, 3), np.float32)), tmp_path / "large.exr")
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 2000)
    with pytest.raises(LeftOutError) as error:
        decode(tmp_path / "large.exr", SIDE)
    assert error.value.reason is Reason.LARGE


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path):
    with pytest.raises(LeftOutError) as error:
        decode(tmp_path / "gone.png", SIDE)
    assert error.value.reason is Reason.GONE
