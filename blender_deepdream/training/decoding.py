# SPDX-License-Identifier: GPL-3.0-or-later
"""One image file to learn from: decoded, turned upright, scaled to a square; or why it cannot be used.

Files are strangers' bytes, so that this runs in processes of its own (`decoding_pool`), which start without torch.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps, UnidentifiedImageError

from ..protocol.errors import ImageError

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
"""What Pillow may take a file for; EXR, and TIFF that Pillow cannot read, are OpenImageIO's."""

SMALLEST_SIDE = 32
MAX_FILE_BYTES = 2**30

_EXR, _TIFFS = b"\x76\x2f\x31\x01", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_UPRIGHT = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
"""How to turn an image whose TIFF tag 274 has this value."""


class Reason(StrEnum):
    """Why a file is left out."""

    NO_IMAGE = "no image"
    DAMAGED = "damaged"
    SMALL = "too small"
    LARGE = "too large"
    EMPTY = "nothing to see"
    UNREADABLE = "cannot be read"
    GONE = "gone meanwhile"
    DUPLICATE = "there already"
    LOOSE = "beside the classes"
    ALONE = "alone in its class"


class LeftOutError(Exception):
    """This file cannot be used. It ends within this floor: one picture less is no reason to end a training."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """pixels: 4xSxS uint8: red, green, blue, alpha; sRGB, colour multiplied by alpha; all of the picture, stretched
    to a square. aspect: width / height that it had, upright. sha256: of the file, lower-case hex."""

    pixels: NDArray[np.uint8]
    aspect: float
    sha256: str


def decode(path: Path, side: int) -> Decoded:
    """A picture as a square of this side. Raises LeftOutError."""
    data = _read(path)
    try:
        picture = _open(path, data, side)
        if min(picture.size) < SMALLEST_SIDE:
            raise LeftOutError(Reason.SMALL, f"{picture.width} x {picture.height} pixels")
        aspect = picture.width / picture.height
        return Decoded(_square(picture, side), aspect, hashlib.sha256(data).hexdigest())
    except MemoryError as error:
        raise LeftOutError(Reason.UNREADABLE, "there is too little memory for it now") from error
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise LeftOutError(Reason.LARGE, "more pixels than a picture has") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's words for damage
        raise LeftOutError(Reason.DAMAGED, str(error)[:200]) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise LeftOutError(Reason.GONE) from error
    except OSError as error:
        raise LeftOutError(Reason.UNREADABLE, error.strerror or str(error)) from error
    if not data:
        raise LeftOutError(Reason.DAMAGED, "the file is empty")
    if len(data) > MAX_FILE_BYTES:
        raise LeftOutError(Reason.LARGE, "a file of more than 1 GiB")
    return data


def _open(path: Path, data: bytes, side: int) -> Pillow.Image:
    """The whole picture, upright, RGB or RGBA with straight alpha, sRGB; no smaller than twice `side` for its size."""
    if data.startswith(_EXR):
        return _by_openimageio(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        try:
            picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as error:
            if data.startswith(_TIFFS):
                return _by_openimageio(path)
            raise LeftOutError(Reason.NO_IMAGE) from error
        with picture:
            if data.startswith(_TIFFS) and picture.mode in ("F", "I", "I;16", "I;16B"):
                return _by_openimageio(path)
            # a large photograph need not be decoded at its full size; Pillow knows that of JPEG alone
            picture.draft(None, (2 * side, 2 * side))
            return _in_srgb(ImageOps.exif_transpose(picture))


def _in_srgb(picture: Pillow.Image) -> Pillow.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I"):  # 16 bits of grey
        grey = np.asarray(picture).astype(np.int64).clip(0, 65535)
        return Pillow.fromarray((grey >> 8).astype(np.uint8)).convert("RGB")
    if isinstance(profile, bytes) and picture.mode in ("RGB", "RGBA", "CMYK"):
        picture = _out_of_profile(picture, profile)
    # a palette may hold transparent colours, and so may any picture a colour that stands for nothing
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _out_of_profile(picture: Pillow.Image, profile: bytes) -> Pillow.Image:
    """Into sRGB; as it is if the profile says so or is of no use."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        moved = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return moved or picture


def _by_openimageio(path: Path) -> Pillow.Image:
    """EXR from scene-linear light, and TIFF of more than 8 bits."""
    # torch comes with it, which takes seconds to start
    from ..engine.images import open_image, read_image
    from ..protocol.messages import ColorSpace

    try:
        file = open_image(path)
        spec = file.spec()
        file.close()
        if spec.width * spec.height > (Pillow.MAX_IMAGE_PIXELS or 0):
            raise LeftOutError(Reason.LARGE, f"{spec.width} x {spec.height} pixels")
        image = read_image(path).in_space(ColorSpace.SRGB)
    except ImageError as error:
        raise LeftOutError(Reason.DAMAGED, error.message[-200:]) from error
    color = np.broadcast_to(image.straight_color(), (image.height, image.width, 3))
    pixels = color if image.alpha is None else np.concatenate([color, image.alpha[..., None]], axis=2)
    eight = (np.nan_to_num(pixels).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    turn = _UPRIGHT.get(spec.get_int_attribute("Orientation", 1))
    picture = Pillow.fromarray(eight)
    return picture if turn is None else picture.transpose(turn)


def _square(picture: Pillow.Image, side: int) -> NDArray[np.uint8]:
    # Pillow multiplies by alpha before it scales
    scaled = picture.resize((side, side), Pillow.Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA").convert("RGBa")
    pixels = np.asarray(scaled).transpose(2, 0, 1)
    if not pixels[3].any():
        raise LeftOutError(Reason.EMPTY, "transparent everywhere")
    return np.ascontiguousarray(pixels)
