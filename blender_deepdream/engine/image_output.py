# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing images, so that a file is either whole or not there: EXR, PNG, JPEG, TIFF through OpenImageIO.

The same image always comes to the same bytes: no times, no names, no versions of programs go into a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..protocol.errors import ImageError
from ..protocol.messages import Depth
from .color import enter_dream
from .images import Image
from .whole_files import cannot_write, replaced_whole

_NAMES = {1: ("Y",), 2: ("Y", "A"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
_EXPECTED_COMPLAINT = "Exif data"
"""OpenImageIO complains so about every TIFF that it writes well."""


class _Format(NamedTuple):
    """name: OpenImageIO's. depths: those it can hold, the usual one first. compression: as OpenImageIO spells it."""

    name: str
    depths: tuple[Depth, ...]
    compression: str
    has_alpha: bool


_FORMATS = {
    ".exr": _Format("openexr", (Depth.FLOAT, Depth.HALF), "zip", True),
    ".png": _Format("png", (Depth.INT8, Depth.INT16), "", True),
    ".jpg": _Format("jpeg", (Depth.INT8,), "jpeg:95", False),
    ".jpeg": _Format("jpeg", (Depth.INT8,), "jpeg:95", False),
    ".tif": _Format("tiff", (Depth.INT16, Depth.INT8, Depth.FLOAT), "zip", True),
    ".tiff": _Format("tiff", (Depth.INT16, Depth.INT8, Depth.FLOAT), "zip", True),
}

_TYPES = {Depth.INT8: "uint8", Depth.INT16: "uint16", Depth.HALF: "half", Depth.FLOAT: "float"}
_BRIGHTEST_HALF = 65504.0


def write_image(image: Image, path: Path, depth: Depth | None = None, highlights: str = "clip") -> None:
    """Write an image in the format that the suffix names, replacing what was there only once all of it is on the disk.

    .exr (float, half), .tif (float): the pixels as they are, alpha multiplied in, no colour conversion
    (`Image.in_space` does that). .png (8, 16), .jpg (8), .tif (16, 8): sRGB in [0, 1], straight alpha; JPEG has none
    and shows it as black. depth: None for the first of these. highlights: what becomes of scene-linear light above 1 in
    whole numbers: "clip" or "roll-off".
    Raises ImageError as `check_depth` does, StorageError if the disk is full or the folder cannot be written.
    """
    depth = check_depth(path, depth)
    format_ = _FORMATS[path.suffix.lower()]
    values = _to_floats(image, depth) if depth.is_float else _to_integers(image, depth, format_.has_alpha, highlights)
    _write(values, format_, depth, path)


def write_halves(values: NDArray[np.float16], path: Path, texts: Mapping[str, str]) -> None:
    """Write HxWx3 numbers, whatever they are, to an .exr file, with texts by name beside them. Raises StorageError."""
    _write(values, _FORMATS[".exr"], Depth.HALF, path, texts)


def check_depth(path: Path, depth: Depth | None) -> Depth:
    """The depth that a file of this suffix will have. Raises ImageError for an unknown suffix, or if it cannot."""
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None:
        raise ImageError(f"{path} has no suffix of a known image format.", f"Use one of: {', '.join(_FORMATS)}.")
    if depth is not None and depth not in format_.depths:
        those = ", ".join(suffix for suffix, other in _FORMATS.items() if depth in other.depths)
        raise ImageError(
            f"A {path.suffix} file cannot have depth {depth}.",
            f"It can have {' or '.join(format_.depths)}; depth {depth} is for {those}.",
        )
    return depth or format_.depths[0]


def _write(
    values: NDArray[Any], format_: _Format, depth: Depth, path: Path, texts: Mapping[str, str] | None = None
) -> None:
    try:
        with replaced_whole(path) as part:
            _reserve(part, values.nbytes)
            _encode(values, format_, depth, part, texts or {})
    except OSError as error:
        raise cannot_write(path, error) from error


def _reserve(path: Path, raw_bytes: int) -> None:
    """Have the disk prove that it has room for the image, however badly it compresses.

    libjpeg ends the whole process on a full disk, and libpng goes on as if nothing were: so they shall not meet one.
    """
    block = bytes(2**20)
    with path.open("wb") as file:
        for _ in range(raw_bytes // len(block) + 1):
            file.write(block)


def _encode(values: NDArray[Any], format_: _Format, depth: Depth, path: Path, texts: Mapping[str, str]) -> None:
    height, width, channels = values.shape
    spec = oiio.ImageSpec(width, height, channels, _TYPES[depth])
    spec.channelnames = _NAMES[channels]
    spec.alpha_channel = -1 if channels % 2 else channels - 1
    # left out, OpenImageIO would put the hour of writing into an EXR, and the same dream would have another hash
    spec.attribute("DateTime", "2000:01:01 00:00:00")
    if format_.compression:
        spec.attribute("compression", format_.compression)
    if not depth.is_float:
        spec.attribute("oiio:UnassociatedAlpha", 1)
        spec.attribute("oiio:ColorSpace", "sRGB")
    for name, text in texts.items():
        spec.attribute(name, text)
    output = oiio.ImageOutput.create(format_.name)
    if output is None:
        raise ImageError(f"{path} cannot be written: {oiio.geterror()}")
    done = output.open(str(path), spec) and output.write_image(values)
    done = output.close() and done
    complaints = [line for line in output.geterror().splitlines() if _EXPECTED_COMPLAINT not in line]
    if not done or complaints:
        raise cannot_write(path, complaints[0] if complaints else "the file could not be written")


def _to_integers(image: Image, depth: Depth, has_alpha: bool, highlights: str) -> NDArray[Any]:
    # straight colour is kept where alpha is 0, too: an artist may have hidden it there on purpose
    straight = image.straight_color() if image.premultiplied else image.color
    color = enter_dream(straight, image.color_space, 0, highlights)
    if image.alpha is not None:
        alpha = image.alpha[..., None]
        color = np.concatenate([color, alpha], axis=2) if has_alpha else color * alpha
    clean = np.clip(np.nan_to_num(color, nan=0.0), 0, 1)
    levels = 255 if depth is Depth.INT8 else 65535
    return (clean * levels + 0.5).astype(_TYPES[depth])


def _to_floats(image: Image, depth: Depth) -> NDArray[Any]:
    pixels = _premultiplied(image)
    if depth is Depth.HALF:
        # what is finite stays so
        return np.where(np.isfinite(pixels), pixels.clip(-_BRIGHTEST_HALF, _BRIGHTEST_HALF), pixels)
    return pixels


def _premultiplied(image: Image) -> NDArray[Any]:
    if image.premultiplied or image.alpha is None:
        return np.ascontiguousarray(image.pixels)
    return np.concatenate([image.color * image.alpha[..., None], image.alpha[..., None]], axis=2)
