# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing images, so that a file is either whole or not there: EXR, PNG, JPEG, TIFF through OpenImageIO.

The same image always comes to the same bytes: no times, no names, no versions of programs go into a file.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..protocol.errors import ImageError, StorageError
from ..protocol.messages import ColorSpace
from .color import convert
from .images import Image

_NAMES = {1: ("Y",), 2: ("Y", "A"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
_EXPECTED_COMPLAINT = "Exif data"
"""OpenImageIO complains so about every TIFF that it writes well."""


class _Format(NamedTuple):
    """name: OpenImageIO's. levels: the largest integer stored, 0 for floats. compression: as OpenImageIO spells it."""

    name: str
    levels: int
    compression: str
    has_alpha: bool


_FORMATS = {
    ".exr": _Format("openexr", 0, "zip", True),
    ".png": _Format("png", 255, "", True),
    ".jpg": _Format("jpeg", 255, "jpeg:95", False),
    ".jpeg": _Format("jpeg", 255, "jpeg:95", False),
    ".tif": _Format("tiff", 65535, "zip", True),
    ".tiff": _Format("tiff", 65535, "zip", True),
}


def write_image(image: Image, path: Path) -> None:
    """Write an image in the format that the suffix names, replacing what was there only once all of it is on the disk.

    .exr: the pixels as they are, float32, ZIP, alpha multiplied in, no colour conversion (`Image.in_space` does that).
    .png, .jpg (8 bits), .tif (16 bits): sRGB, clipped to [0, 1], straight alpha; JPEG has none and shows it as black.
    Raises ImageError for another suffix, StorageError if the disk is full or the folder cannot be written.
    """
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None:
        raise ImageError(f"{path} has no suffix of a known image format.", f"Use one of: {', '.join(_FORMATS)}.")
    values = _to_integers(image, format_) if format_.levels else _premultiplied(image)
    part = path.absolute().with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        _reserve(part, values.nbytes)
        _encode(values, format_, part)
        part.replace(path)
    except OSError as error:
        raise _storage_error(path, error.strerror or str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def _reserve(path: Path, raw_bytes: int) -> None:
    """Have the disk prove that it has room for the image, however badly it compresses.

    libjpeg ends the whole process on a full disk, and libpng goes on as if nothing were: so they shall not meet one.
    """
    block = bytes(2**20)
    with path.open("wb") as file:
        for _ in range(raw_bytes // len(block) + 1):
            file.write(block)


def _encode(values: NDArray[Any], format_: _Format, path: Path) -> None:
    height, width, channels = values.shape
    spec = oiio.ImageSpec(width, height, channels, {0: "float", 255: "uint8", 65535: "uint16"}[format_.levels])
    spec.channelnames = _NAMES[channels]
    spec.alpha_channel = -1 if channels % 2 else channels - 1
    # left out, OpenImageIO would put the hour of writing into an EXR, and the same dream would have another hash
    spec.attribute("DateTime", "2000:01:01 00:00:00")
    if format_.compression:
        spec.attribute("compression", format_.compression)
    if format_.levels:
        spec.attribute("oiio:UnassociatedAlpha", 1)
        spec.attribute("oiio:ColorSpace", "sRGB")
    output = oiio.ImageOutput.create(format_.name)
    if output is None:
        raise ImageError(f"{path} cannot be written: {oiio.geterror()}")
    done = output.open(str(path), spec) and output.write_image(values)
    done = output.close() and done
    complaints = [line for line in output.geterror().splitlines() if _EXPECTED_COMPLAINT not in line]
    if not done or complaints:
        raise _storage_error(path, complaints[0] if complaints else "the file could not be written")


def _to_integers(image: Image, format_: _Format) -> NDArray[Any]:
    color = convert(image.straight_color(), image.color_space, ColorSpace.SRGB)
    if image.alpha is not None:
        alpha = image.alpha[..., None]
        color = np.concatenate([color, alpha], axis=2) if format_.has_alpha else color * alpha
    clean = np.clip(np.nan_to_num(color, nan=0.0), 0, 1)
    return (clean * format_.levels + 0.5).astype(np.uint8 if format_.levels == 255 else np.uint16)


def _premultiplied(image: Image) -> NDArray[Any]:
    if image.premultiplied or image.alpha is None:
        return np.ascontiguousarray(image.pixels)
    return np.concatenate([image.color * image.alpha[..., None], image.alpha[..., None]], axis=2)


def _storage_error(path: Path, why: str) -> StorageError:
    return StorageError(
        f"{path} cannot be written: {why}.", "See that the folder can be written and the disk has room."
    )
