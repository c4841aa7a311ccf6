# SPDX-License-Identifier: GPL-3.0-or-later
"""Images, and the files they come from and go to: EXR, PNG, JPEG, TIFF, through OpenImageIO.

Files are strangers' bytes: their kind is told by their first bytes, and what their header claims is checked before
memory is taken for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..protocol.errors import ImageError
from ..protocol.messages import ColorSpace
from ..protocol.nothing import MAX_PIXELS, MAX_SIDE
from .color import Array, convert
from .octaves import Size

_EXR, _PNG, _JPEG = b"\x76\x2f\x31\x01", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BEGINNINGS = (_EXR, _PNG, _JPEG, *_TIFFS)
"""First bytes of the files that are read."""

_DAMAGED = "The file seems to be damaged or cut short."

_MAIN_LAYERS = ("", "combined", "image", "composite", "rgba")
"""Names of an EXR's layer that is the picture itself rather than one of its passes."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Pixels and what they mean.

    pixels: HxWxC float32, rows from the top, C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA); any range, NaN too.
    color_space: any but AUTO. premultiplied: whether the colour is already multiplied by alpha, as in EXR.
    Raises ImageError for pixels of another shape.
    """

    pixels: Array
    color_space: ColorSpace = ColorSpace.LINEAR_REC709
    premultiplied: bool = True

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 2, 3, 4) or not self.pixels.size:
            raise ImageError(f"An image must be height x width x 1 to 4 channels, not {self.pixels.shape}.")
        if self.pixels.dtype != np.float32 or self.color_space == ColorSpace.AUTO:
            raise ImageError("An image must be float32 and of a known colour space.")

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def size(self) -> Size:
        return Size(self.height, self.width)

    @property
    def color(self) -> Array:
        """HxWx1 or HxWx3, as stored."""
        channels = self.pixels.shape[2]
        return self.pixels[..., : channels - 1 + channels % 2]

    @property
    def alpha(self) -> Array | None:
        """HxW, or None if there is none."""
        return None if self.pixels.shape[2] % 2 else self.pixels[..., -1]

    def straight_color(self) -> Array:
        """The colour without alpha in it, HxWx1 or HxWx3; black where alpha is not above 0."""
        if self.alpha is None:
            return self.color
        visible = self.alpha[..., None] > 0
        divisor = self.alpha[..., None] if self.premultiplied else np.float32(1)
        with np.errstate(over="ignore", invalid="ignore"):
            straight: Array = np.divide(self.color, divisor, out=np.zeros_like(self.color), where=visible)
        return straight

    def in_space(self, space: ColorSpace) -> Image:
        """The same picture in another colour space, straight; into sRGB it is clipped to [0, 1].

        Colour where alpha is 0 (a glow in a premultiplied image) is lost.
        """
        if space == self.color_space:
            return self
        color = convert(self.straight_color(), self.color_space, space)
        pixels = color if self.alpha is None else np.concatenate([color, self.alpha[..., None]], axis=2)
        return Image(pixels, space, premultiplied=False)


class _Plane(NamedTuple):
    """Where in a file one picture lies: its subimage, and the numbers of its channels in the order wanted."""

    subimage: int
    channels: tuple[int, ...]


def read_image(path: Path, color_space: ColorSpace = ColorSpace.AUTO) -> Image:
    """An image from an EXR, PNG, JPEG or TIFF file, whatever its suffix.

    Of an EXR with many layers, the picture itself is taken ("R", "ViewLayer.Combined.R"), else the first that has
    colour. color_space AUTO: Linear Rec.709 for float files, sRGB for others.
    Raises ImageError for a file that is not there, damaged, cut short, without colour, or too large.
    """
    try:
        spec, plane, pixels = _read(path)
    except UnicodeDecodeError as error:
        # OpenImageIO's binding trips over names, even in its own error messages, that are not UTF-8
        raise ImageError(f"{path} cannot be read: its header is not text.", _DAMAGED) from error
    is_float = spec.format.basetype in (oiio.HALF, oiio.FLOAT, oiio.DOUBLE)
    if color_space == ColorSpace.AUTO:
        color_space = ColorSpace.LINEAR_REC709 if is_float else ColorSpace.SRGB
    straight = len(plane.channels) % 2 == 0 and spec.get_int_attribute("oiio:UnassociatedAlpha", 0) == 1
    return Image(pixels, color_space, premultiplied=not straight)


def read_mask(path: Path) -> NDArray[np.float32]:
    """A mask from an image file: HxW, the mean of its colour channels as stored, alpha ignored. Raises ImageError."""
    mask: NDArray[np.float32] = read_image(path).color.mean(axis=2)
    return mask


def _read(path: Path) -> tuple[oiio.ImageSpec, _Plane, Array]:
    file = open_image(path)
    try:
        plane = _main_plane(parts_of(file), path)
        spec = file.spec(plane.subimage)
        check_size(spec, path)
        return spec, plane, _read_plane(file, plane, path)
    finally:
        file.close()


def open_image(path: Path) -> oiio.ImageInput:
    """An image file opened for reading; it must be closed. Raises ImageError."""
    _check_kind(path)
    config = oiio.ImageSpec()
    # Otherwise 8-bit colours would be multiplied by alpha on the way in, and lost where alpha is small
    config.attribute("oiio:UnassociatedAlpha", 1)
    # An absolute path: OpenImageIO takes a bare "png" for the name of a format
    file = oiio.ImageInput.open(str(path.absolute()), config)
    if file is None:
        raise ImageError(f"{path} cannot be read: {_first_line(oiio.geterror())}", _DAMAGED)
    return file


def _check_kind(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(max(map(len, _BEGINNINGS)))
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}.") from error
    if not start.startswith(_BEGINNINGS):
        what = "is empty" if not start else "is not an EXR, PNG, JPEG or TIFF image"
        raise ImageError(f"{path} {what}.", "Save the image in one of these formats.")


def parts_of(file: oiio.ImageInput) -> list[oiio.ImageSpec]:
    """What each subimage of an open file claims to be."""
    specs: list[oiio.ImageSpec] = []
    while file.seek_subimage(len(specs), 0):
        specs.append(file.spec())
    file.geterror()
    return specs


def _main_plane(specs: Sequence[oiio.ImageSpec], path: Path) -> _Plane:
    """The picture among all subimages and layers of a file. Raises ImageError if none has colour."""
    planes = [found for index, spec in enumerate(specs) for found in _planes(index, spec)]
    if not planes:
        names = ", ".join(name for spec in specs for name in spec.channelnames)[:500]
        raise ImageError(f"{path} has no grey, RGB or RGBA channels. Its channels are: {names or 'none'}.")
    is_pass = [name.rpartition(".")[2].lower() not in _MAIN_LAYERS for name, _ in planes]
    return planes[is_pass.index(False) if False in is_pass else 0][1]


def _planes(subimage: int, spec: oiio.ImageSpec) -> list[tuple[str, _Plane]]:
    """Each layer of a subimage that has colour, by name."""
    layers: dict[str, dict[str, int]] = {}
    for number, name in enumerate(spec.channelnames):
        layer, _, channel = name.rpartition(".")
        layers.setdefault(layer, {})[channel.upper()] = number
    part = str(spec.getattribute("oiio:subimagename") or "")
    found = []
    for layer, channels in layers.items():
        wanted = _color_channels(channels, alone=spec.nchannels == 1)
        if wanted:
            found.append((layer or part, _Plane(subimage, wanted)))
    return found


def _color_channels(channels: dict[str, int], alone: bool) -> tuple[int, ...]:
    """Numbers of the channels R, G, B or Y, with A if there is one; an only channel is grey, whatever its name."""
    if set("RGB") <= set(channels):
        return tuple(channels[name] for name in "RGBA" if name in channels)
    # Y is grey, unless it stands between X and Z, or before the RY and BY of an image of luminance and chroma
    if set("Y") <= set(channels) <= set("YA"):
        return tuple(channels[name] for name in "YA" if name in channels)
    return tuple(channels.values()) if alone else ()


def check_size(spec: oiio.ImageSpec, path: Path) -> None:
    """Raises ImageError for a picture without pixels, with too many, or with more than a plane of them."""
    width, height = spec.width, spec.height
    if width < 1 or height < 1:
        raise ImageError(f"{path} has no pixels.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"{path} is too large: {width} x {height} pixels.",
            f"A side may have {MAX_SIDE:,} pixels, an image {MAX_PIXELS:,}.",
        )
    if spec.deep or spec.depth > 1:
        raise ImageError(f"{path} is a deep or volume image.", "Save it as a flat one.")


def _read_plane(file: oiio.ImageInput, plane: _Plane, path: Path) -> Array:
    first, last = min(plane.channels), max(plane.channels)
    # Channels scattered among many others are read one by one: the others may take more memory than there is
    together = last - first < 4
    runs = [(first, last + 1)] if together else [(channel, channel + 1) for channel in plane.channels]
    read = [read_channels(file, plane.subimage, *run, path) for run in runs]
    order = [channel - first for channel in plane.channels] if together else range(len(runs))
    if together and plane.channels == tuple(range(first, last + 1)):
        return read[0]
    return np.ascontiguousarray(np.concatenate(read, axis=2)[..., order], np.float32)


def read_channels(file: oiio.ImageInput, subimage: int, begin: int, end: int, path: Path) -> Array:
    """HxWxC float32: the channels from `begin` to before `end`. Raises ImageError for a file that is cut short."""
    pixels: Array | None = file.read_image(subimage, 0, begin, end, "float")
    error = file.geterror()
    # libjpeg fills what is missing with grey and calls it a warning
    if pixels is None or "premature end" in error.lower():
        raise ImageError(f"{path} cannot be read: {_first_line(error)}", _DAMAGED)
    return pixels


def _first_line(error: str) -> str:
    return (error.strip().splitlines() or ["unknown format."])[0]
