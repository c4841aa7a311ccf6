# SPDX-License-Identifier: GPL-3.0-or-later
"""What a multilayer OpenEXR file holds, read from its header alone: Blender's Python has no OpenEXR.

The layout is that of https://openexr.com/en/latest/OpenEXRFileLayout.html. Blender names channels LAYER.PASS.CHANNEL
and writes one part for all of them up to 4.5, one part per pass from 5.0 on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..protocol.errors import ImageError

_MAGIC = 20000630
_MULTIPART = 0x1000
_MAX_ATTRIBUTE = 1 << 24
_MAX_PARTS = 4096
_MAX_NAME = 256
_LINES_PER_CHUNK = {3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""By the file's compression: ZIP, PIZ, PXR24, B44, B44A, DWAA, DWAB; the others pack line by line."""


@dataclass(frozen=True)
class RenderPass:
    """One pass of one view layer: channels as Blender names them together ("RGBA", "XYZW", "Z")."""

    layer: str
    name: str
    channels: str


@dataclass(frozen=True)
class ExrContents:
    """width, height: the data window in pixels. passes: in the order of the file."""

    width: int
    height: int
    passes: tuple[RenderPass, ...]


def read_contents(path: Path) -> ExrContents:
    """The size and the passes of an EXR file. Raises ImageError if its header is damaged or missing."""
    try:
        with path.open("rb") as file:
            headers = _read_headers(file)
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise ImageError(f"{path} cannot be read as an OpenEXR file: {error}.") from error
    left, bottom, right, top = struct.unpack("<4i", headers[0]["dataWindow"])
    names = [name for header in headers for name in _channel_names(header.get("channels", b""))]
    return ExrContents(right - left + 1, top - bottom + 1, _group(names))


def check_complete(path: Path) -> None:
    """Raises ImageError unless every chunk of pixels that the file's table promises lies inside the file.

    A writer that was killed or ran out of disk leaves a table of zeros, or a file that is too short.
    """
    try:
        with path.open("rb") as file:
            _, version = struct.unpack("<ii", file.read(8))
            file.seek(0)
            headers = _read_headers(file)
            count = sum(_chunk_count(header) for header in headers)
            table = file.read(8 * count)
            offsets = struct.unpack(f"<{count}Q", table)
            last = max(offsets)
            file.seek(last)
            _, *size = struct.unpack(
                "<iii" if version & _MULTIPART else "<ii", file.read(12 if version & _MULTIPART else 8)
            )
            end = file.tell() + size[-1]
            complete = 0 not in offsets and end <= path.stat().st_size
    except (OSError, struct.error, ValueError, UnicodeDecodeError) as error:
        raise ImageError(f"{path} is damaged: {error}.") from error
    if not complete:
        raise ImageError(f"{path} is cut short.")


def _chunk_count(header: dict[str, bytes]) -> int:
    """Chunks of a scanline part: Blender writes no tiles."""
    if "chunkCount" in header:
        (count,) = struct.unpack("<i", header["chunkCount"])
        return int(count)
    _, bottom, _, top = struct.unpack("<4i", header["dataWindow"])
    lines = _LINES_PER_CHUNK.get(header["compression"][0], 1)
    return -(-(top - bottom + 1) // lines)


def _read_headers(file: BinaryIO) -> list[dict[str, bytes]]:
    magic, version = struct.unpack("<ii", file.read(8))
    if magic != _MAGIC:
        raise ImageError("The file is not an OpenEXR file.")
    headers = []
    while header := _read_header(file):
        if "dataWindow" not in header or len(headers) >= _MAX_PARTS:
            raise ImageError("The OpenEXR header is damaged.")
        headers.append(header)
        if not version & _MULTIPART:
            break
    if not headers:
        raise ImageError("The OpenEXR file has no parts.")
    return headers


def _read_header(file: BinaryIO) -> dict[str, bytes]:
    attributes = {}
    while name := _read_name(file):
        _read_name(file)  # the attribute's type: ours are known by their names
        (size,) = struct.unpack("<i", file.read(4))
        if not 0 <= size <= _MAX_ATTRIBUTE:
            raise ImageError("The OpenEXR header is damaged.")
        attributes[name] = file.read(size)
    return attributes


def _read_name(file: BinaryIO) -> str:
    name = bytearray()
    while (byte := file.read(1)) not in (b"\0", b""):
        name += byte
        if len(name) > _MAX_NAME:
            raise ImageError("The OpenEXR header is damaged.")
    return name.decode()


def _channel_names(data: bytes) -> list[str]:
    """Names from a channel list: each a zero-terminated text and 16 bytes of format."""
    names = []
    while data and data[0]:
        name, _, rest = data.partition(b"\0")
        names.append(name.decode())
        data = rest[16:]
    return names


def _group(names: list[str]) -> tuple[RenderPass, ...]:
    """Channels gathered into passes. The order inside a pass is Blender's, as its own reader sorts it."""
    gathered: dict[tuple[str, str], list[str]] = {}
    for name in names:
        path, _, channel = name.rpartition(".")
        layer, _, render_pass = path.rpartition(".")
        gathered.setdefault((layer, render_pass), []).append(channel)
    return tuple(RenderPass(*key, channels=_ordered(channels)) for key, channels in gathered.items())


def _ordered(channels: list[str]) -> str:
    for order in ("RGBA", "rgba", "XYZW", "UVA"):
        if set(channels) <= set(order):
            return "".join(channel for channel in order if channel in channels)
    return "".join(channels)
