# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights in a caffemodel, found without reading them, and read one blob at a time.

This walks protobuf's wire format itself. A parser would take memory for whatever a file claims to hold (two bytes can
stand for an object of a hundred), copy the weights three times, and hand them out one Python float after the other.
Here each length is checked against the bytes that are there before memory is taken, and what is needed is read once,
straight into the array that it stays in.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...protocol.errors import BrainFileError
from .schema import message

MAX_FIELDS = 200_000
"""In one file: ten times what the deepest networks have."""
MAX_AXES = 32
MAX_NAME = 256

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5

_HINT = "Copy or download the file again; it must be the .caffemodel that belongs to the prototxt."


class Field(NamedTuple):
    """number: its value, of a VARINT. start, end: where its bytes lie in the file."""

    tag: int
    kind: int
    number: int
    start: int
    end: int


@dataclass(slots=True)
class Blob:
    """One array of weights: where its numbers lie, and its shape. wide: they are doubles."""

    shape: tuple[int, ...] = ()
    chunks: list[tuple[int, int]] = field(default_factory=list)
    wide: bool = False


class CaffeModel:
    """The blobs of a caffemodel by layer name. Each may be taken once, so that no file makes more memory than it has.

    Raises BrainFileError, at any method, for a file that is damaged or none. `file` must stay open.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._wire = Wire(file)
        self.blobs: dict[str, list[Blob]] = {}
        kinds = {_tag("NetParameter", "layer"): "LayerParameter", _tag("NetParameter", "layers"): "V1LayerParameter"}
        for found in self._wire.fields(0, self._wire.size):
            if found.kind == BYTES and found.tag in kinds:
                self._add(found, kinds[found.tag])
        if not self.blobs:
            raise BrainFileError("There are no weights in the caffemodel.", _HINT)

    def take(self, layer: str) -> list[Tensor]:
        """The weights of a layer, float32; empty if it has none, or if they were taken before."""
        return [self._read(blob, layer) for blob in self.blobs.pop(layer, [])]

    def _add(self, layer: Field, kind: str) -> None:
        name, blobs = "", []
        for found in self._wire.fields(layer.start, layer.end):
            if found.tag == _tag(kind, "name") and found.kind == BYTES:
                name = self._wire.text(found)
            elif found.tag == _tag(kind, "blobs") and found.kind == BYTES:
                blobs.append(read_blob(self._wire, found.start, found.end))
        if blobs:
            self.blobs[name] = blobs

    def _read(self, blob: Blob, layer: str) -> Tensor:
        values = self._wire.numbers(blob)
        if math.prod(blob.shape) != len(values):
            problem = f"Layer {layer!r} has {len(values):,} weights for a shape of {blob.shape}."
            raise BrainFileError(f"The caffemodel is damaged: {problem}", _HINT)
        if not np.isfinite(values).all():
            raise BrainFileError(f"The caffemodel is damaged: weights of layer {layer!r} are not numbers.", _HINT)
        return torch.from_numpy(values).reshape(blob.shape)


class Wire:
    """A file in protobuf's wire format (https://protobuf.dev/programming-guides/encoding), read at given places."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._left = MAX_FIELDS

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message that lies there."""
        position = start
        while position < end:
            self._left -= 1
            if self._left < 0:
                raise BrainFileError(f"The caffemodel has more than {MAX_FIELDS:,} parts.", _HINT)
            self._file.seek(position)
            found = self._field(end)
            yield found
            position = found.end

    def _field(self, end: int) -> Field:
        key = self._varint()
        tag, kind = key >> 3, key & 7
        number = self._varint() if kind in (VARINT, BYTES) else 0
        start = self._file.tell()
        length = {VARINT: 0, EIGHT_BYTES: 8, BYTES: number, FOUR_BYTES: 4}.get(kind)
        if length is None or tag == 0 or start + length > end:
            raise BrainFileError(f"The caffemodel is damaged or none: it breaks off at byte {start:,}.", _HINT)
        return Field(tag, kind, number, start, start + length)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._file.read(1)
            if not byte:
                break
            value |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                return value
        raise BrainFileError("The caffemodel is damaged or none: it breaks off within a number.", _HINT)

    def text(self, found: Field) -> str:
        self._file.seek(found.start)
        return self._file.read(min(found.end - found.start, 4 * MAX_NAME)).decode("utf-8", "replace")

    def varints(self, found: Field) -> Iterator[int]:
        """Packed into one field."""
        self._file.seek(found.start)
        while self._file.tell() < found.end:
            yield self._varint()

    def numbers(self, blob: Blob) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """All of a blob's, float32."""
        kind = np.dtype("<f8" if blob.wide else "<f4")
        length = sum(end - start for start, end in blob.chunks)
        if length % kind.itemsize:
            raise BrainFileError(f"The caffemodel is damaged: {length:,} bytes are no whole number of weights.", _HINT)
        values = np.empty(length // kind.itemsize, kind)
        memory, filled = values.view(np.uint8).data, 0
        for start, end in blob.chunks:
            self._file.seek(start)
            filled += self._file.readinto(memory[filled : filled + end - start])  # type: ignore[attr-defined]
        if filled != length:
            raise BrainFileError("The caffemodel became shorter while it was read.", _HINT)
        return values.astype(np.float32, copy=False)


def read_mean(path: Path) -> tuple[float, float, float]:
    """The mean of each channel in a mean image, a .binaryproto: subtracted from 0..255. Raises BrainFileError."""
    hint = "Give the .binaryproto with the mean image that the network was trained with."
    try:
        with path.open("rb") as file:
            wire = Wire(file)
            blob = read_blob(wire, 0, wire.size)
            values = wire.numbers(blob).astype(np.float64)
    except OSError as error:
        raise BrainFileError(f"The mean {path} cannot be read: {error.strerror}.", hint) from error
    except BrainFileError as error:
        raise BrainFileError(error.message.replace("caffemodel", f"mean {path.name}"), hint) from error
    if len(values) % 3 or not len(values) or not np.isfinite(values).all() or 3 not in blob.shape[:2]:
        raise BrainFileError(f"The mean {path.name} is not an image of three channels.", hint)
    first, second, third = values.reshape(3, -1).mean(axis=1).tolist()
    if max(abs(first), abs(second), abs(third)) > 255:
        raise BrainFileError(f"The mean {path.name} is not that of images of 0 to 255.", hint)
    return first, second, third


def read_blob(wire: Wire, start: int, end: int) -> Blob:
    """The blob whose message lies there, without its numbers."""
    blob, old_shape, has_shape = Blob(), [0, 0, 0, 0], False
    tags = {_tag("BlobProto", name): name for name in ("shape", "data", "double_data", *_OLD_AXES)}
    for found in wire.fields(start, end):
        name = tags.get(found.tag)
        if name in _OLD_AXES and found.kind == VARINT:
            old_shape[_OLD_AXES.index(name)] = found.number
        elif name == "shape" and found.kind == BYTES:
            # that of a scalar is there and empty
            blob.shape, has_shape = _shape(wire, found), True
        elif name in ("data", "double_data") and found.kind == BYTES:
            wide = name == "double_data"
            if wide != blob.wide:
                blob.wide, blob.chunks = wide, []
            blob.chunks.append((found.start, found.end))
    blob.shape = blob.shape if has_shape else tuple(old_shape)
    return blob


_OLD_AXES = ("num", "channels", "height", "width")


def _shape(wire: Wire, shape: Field) -> tuple[int, ...]:
    axes: list[int] = []
    for found in wire.fields(shape.start, shape.end):
        if found.tag == _tag("BlobShape", "dim"):
            axes += itertools.islice(wire.varints(found), MAX_AXES + 1) if found.kind == BYTES else [found.number]
        if len(axes) > MAX_AXES:
            raise BrainFileError(f"The caffemodel is damaged: it has a blob of more than {MAX_AXES} axes.", _HINT)
    return tuple(axes)


@functools.cache
def _tag(kind: str, name: str) -> int:
    number: int = message(kind).DESCRIPTOR.fields_by_name[name].number
    return number
