# SPDX-License-Identifier: GPL-3.0-or-later
"""safetensors files of strangers: every length is checked against the file's own before memory is taken.

The format: https://huggingface.co/docs/safetensors. Eight bytes with the length of a JSON header, little-endian; the
header, which names each tensor's type, shape and place, and holds texts besides; the tensors' bytes.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import safetensors
import safetensors.torch
from torch import Tensor

from ..protocol.errors import BrainFileError

MAX_BYTES = 4 * 2**30
MAX_HEADER_BYTES = 4 * 2**20
"""Python's objects take up to twenty times the bytes of the JSON that they come from."""
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 8

_METADATA = "__metadata__"
_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64"), 8),
}
_HINT = "Get it again from where it came from: it was damaged on the way, or is another kind of file."


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the tensors. raw: the bytes of the file up to the first tensor. size: of the whole file."""

    texts: Mapping[str, str]
    raw: bytes
    size: int


def read_header(path: Path) -> Header:
    """The header of a file, found to agree with the file's length. Raises BrainFileError."""
    try:
        state = path.stat()
        size = state.st_size
        if not stat.S_ISREG(state.st_mode):  # to open a pipe would wait for its other end
            raise BrainFileError(f"{path} is not a file.", _HINT)
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if size < 8 or size > MAX_BYTES or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise BrainFileError(f"{path} is not a safetensors file.", _HINT)
            text = file.read(length)
    except OSError as error:
        raise BrainFileError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error
    header = _parse(path, text)
    texts = header.pop(_METADATA, {})
    if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        raise BrainFileError(f"The header of {path} holds texts that are none.", _HINT)
    _check_tensors(path, header, size - 8 - length)
    return Header(texts, start + text, size)


def tensors_in(data: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors of a file whose header was checked. path: for errors. Raises BrainFileError."""
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, RuntimeError, KeyError) as error:
        raise BrainFileError(f"The tensors of {path} cannot be read: {str(error)[:200]}.", _HINT) from error


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrainFileError(f"{path} is not a safetensors file: its header is not JSON.", _HINT) from error
    if not isinstance(header, dict) or len(header) > MAX_TENSORS:
        raise BrainFileError(f"The header of {path} does not list up to {MAX_TENSORS} tensors.", _HINT)
    return header


def _check_tensors(path: Path, tensors: Mapping[str, Any], room: int) -> None:
    """That the tensors fill the rest of the file, without gaps or overlaps. Raises BrainFileError."""
    places = sorted(_place(path, name, entry) for name, entry in tensors.items())
    end = 0
    for begin, following in places:
        if begin != end:
            raise BrainFileError(f"The tensors of {path} overlap or leave gaps.", _HINT)
        end = following
    if end != room:
        what = "shorter" if end > room else "longer"
        raise BrainFileError(f"{path} is {what} than its header says.", _HINT)


def _place(path: Path, name: str, entry: Any) -> tuple[int, int]:
    """Where a tensor begins and ends, if that is what its type and shape take."""
    wrong = BrainFileError(f"The header of {path} describes a tensor that cannot be: {name[:80]!r}.", _HINT)
    if not isinstance(entry, dict):
        raise wrong
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not _whole_numbers(shape) or not _whole_numbers(offsets):
        raise wrong
    if len(shape) > MAX_DIMENSIONS or len(offsets) != 2 or str(entry.get("dtype")) not in _BYTES:
        raise wrong
    if offsets[1] - offsets[0] != math.prod(shape) * _BYTES[entry["dtype"]]:
        raise wrong
    return offsets[0], offsets[1]


def _whole_numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(number) is int and 0 <= number <= MAX_BYTES for number in value)
