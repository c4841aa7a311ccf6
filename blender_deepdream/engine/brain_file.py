# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain in one file: its card, its weights and, if nothing else knows its architecture, what its network is made of.

A safetensors file with one text, `deepdream`, a JSON object: `version` of this format; `checksum`, the SHA-256 of the
file with these 64 digits as zeros; `card` (`brain_card`); `graph`, the description of a network that is one, else null.
Nothing in it is ever executed. The same brain makes the same file, and the file dreams the same, on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Tensor, nn

from ..protocol.errors import BrainFileError, StorageError
from . import brain_card
from .brain import Brain, BrainCard, Layer
from .file_hashes import hash_of
from .networks import architectures
from .networks.graph import GraphNetwork
from .tensor_file import MAX_HEADER_BYTES, Header, read_header, tensors_in
from .whole_files import replaced_whole

FORMAT_VERSION = 1
SUFFIX = ".safetensors"

_KEY = "deepdream"
_ZEROS = "0" * 64
_TRIAL_SIDE = 128
"""Pixels: the largest image that a network is tried with."""
_HINT = "The brain's file is damaged or was not made by this program: import or pull the brain again."


class Contents(NamedTuple):
    """What a brain is made of. tensors: by the names of its architecture. description: of a "graph", as JSON."""

    card: BrainCard
    tensors: Mapping[str, Tensor]
    description: object = None


def save(path: Path, card: BrainCard, tensors: Mapping[str, Tensor], description: object = None) -> BrainCard:
    """Write a brain's file, whole or not at all. Returns its card with the file's hash and size.

    description: what a "graph" is made of, as JSON. Raises BrainFileError for a card that says what it must not,
    StorageError.
    """
    # the checksum first, so that it is found there; one text only, because safetensors shuffles several
    about = {"version": FORMAT_VERSION, "checksum": _ZEROS, "card": brain_card.to_json(card), "graph": description}
    text = json.dumps(about, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_HEADER_BYTES // 4:
        raise BrainFileError("The brain's description is too long for a file.", "Name fewer layers or classes.")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replaced_whole(path) as part:
            part.touch()
            mode = part.stat().st_mode
            safetensors.torch.save_file(whole, part, metadata={_KEY: text})
            part.chmod(mode)  # safetensors shuts everybody else out: brains lie on shared disks
            _write_checksum(part)
            brain_id, size = hash_of(part), part.stat().st_size
    except (OSError, safetensors.SafetensorError) as error:
        raise StorageError(
            f"The brain cannot be written to {path}: {error}.", "Check that the folder exists and has room."
        ) from error
    return replace(card, id=brain_id, size=size)


def read_card(path: Path, hash_file: Callable[[Path], str] = hash_of) -> BrainCard:
    """What a brain's file says of it, without its weights.

    hash_file: finds the file's SHA-256. Raises BrainFileError.
    """
    header, about = _opened(path)
    try:
        return brain_card.from_json(about["card"], hash_file(path), header.size)
    except OSError as error:
        raise BrainFileError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error


def load(path: Path, device: torch.device | str = "cpu") -> Brain:
    """The brain in a file, ready to dream on `device`. Raises BrainFileError."""
    return assembled(read(path), device)


def assembled(contents: Contents, device: torch.device | str = "cpu") -> Brain:
    """A brain of what is in its file, ready to dream on `device`. Raises BrainFileError where it does not fit."""
    card = contents.card
    classes = card.classifier.channels if card.classifier else 1000
    network = architectures.build(
        card.architecture, contents.tensors, description=contents.description, classes=classes
    )
    _check_layers(card, network)
    return Brain(card, network.to(device), torch.device(device))


def read(path: Path) -> Contents:
    """All that is in a brain's file. The bytes that were checked are the bytes that are read. Raises BrainFileError."""
    header, about = _opened(path)
    try:
        with path.open("rb") as file:
            data = file.read(header.size + 1)
    except OSError as error:
        raise BrainFileError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error
    rest = memoryview(data)[len(header.raw) :]
    if len(data) != header.size or _checksum(header, about["checksum"], rest) != about["checksum"]:
        raise BrainFileError(f"{path} is damaged: its checksum is another one.", _HINT)
    card = brain_card.from_json(about["card"], hashlib.sha256(data).hexdigest(), header.size)
    return Contents(card, tensors_in(data, path), about["graph"])


def _opened(path: Path) -> tuple[Header, dict[str, Any]]:
    """A brain's header, and what it says in words. Raises BrainFileError."""
    header = read_header(path)
    if _KEY not in header.texts:
        raise BrainFileError(
            f"{path} holds tensors, but is not a brain: nothing says what network they are of.",
            "A brain is a file that this program has written: see `deepdream brains export` and `import`.",
        )
    try:
        about = json.loads(header.texts[_KEY], parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BrainFileError(f"What {path} says of its brain is not proper JSON.", _HINT) from error
    if not isinstance(about, dict) or about.get("version") != FORMAT_VERSION:
        version = str(about.get("version"))[:20] if isinstance(about, dict) else "none"
        raise BrainFileError(
            f"{path} is a brain in version {version} of the format; this program reads {FORMAT_VERSION}.",
            "Update the program.",
        )
    if set(about) != {"version", "checksum", "card", "graph"} or not isinstance(about["checksum"], str):
        raise BrainFileError(f"What {path} says of its brain is not complete.", _HINT)
    return header, about


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _checksum(header: Header, stated: str, tensors: memoryview) -> str:
    """What the checksum of a file with this header and these bytes after it must be."""
    digest = hashlib.sha256(header.raw.replace(_mark(stated), _mark(_ZEROS), 1))
    digest.update(tensors)
    return digest.hexdigest()


def _mark(checksum: str) -> bytes:
    """How a checksum stands in the header: in JSON, in a text in JSON."""
    return json.dumps(f'"checksum":"{checksum}"').strip('"').encode()


def _write_checksum(path: Path) -> None:
    """Put the checksum where the zeros are."""
    place = read_header(path).raw.index(_mark(_ZEROS)) + _mark(_ZEROS).index(b"0")
    checksum = hash_of(path)
    with path.open("r+b") as file:
        file.seek(place)
        file.write(checksum.encode())


def _check_layers(card: BrainCard, network: nn.Module) -> None:
    """That the network has the layers that its card names. Raises BrainFileError."""
    channels = _channels(network, card.every_layer, card.smallest)
    for layer in card.every_layer:
        if channels.get(layer.name) != layer.channels:
            found = f"has {channels[layer.name]}" if layer.name in channels else "is not there"
            raise BrainFileError(f"Layer {layer.name[:80]!r} should have {layer.channels} channels and {found}.", _HINT)


def _channels(network: nn.Module, layers: Collection[Layer], smallest: int) -> Mapping[str, int]:
    """How many channels the network's layers have: of a graph by reckoning, of others by a trial."""
    if isinstance(network, GraphNetwork):
        return {name: shape.channels for name, shape in network.graph.shapes().items()}
    stride = max(layer.stride for layer in layers)
    side = math.ceil(min(smallest, _TRIAL_SIDE) / stride) * stride
    try:
        with torch.no_grad():
            found = network(torch.zeros(1, 3, side, side), [layer.name for layer in layers])
    except (RuntimeError, KeyError, ValueError, TypeError, AssertionError) as error:
        raise BrainFileError(f"The network does not run: {str(error)[:200]}.", _HINT) from error
    return {name: activation.shape[1] for name, activation in found.items()}
