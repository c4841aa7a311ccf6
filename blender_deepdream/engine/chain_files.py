# SPDX-License-Identifier: GPL-3.0-or-later
"""What crosses from frame to frame, as files: the detail that a frame hands on, and Blender's motion passes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import torch

from ..protocol.errors import ImageError
from ..protocol.layers import MAX_LAYERS
from .color import Array
from .correspondence import Vectors
from .image_output import write_halves
from .images import check_size, open_image, parts_of, read_channels
from .mixture import Mixture
from .temporal import BANDS, Detail

_HELD = "deepdream:held"
"""An attribute of the file: JSON, the reach and then the energies."""
MOST_HELD = 1e4
_MIXTURE = "deepdream:mixture"
"""Another: JSON, pairs of a layer and its share."""
_AGAIN = "Dream the frame before again."


def write_detail(detail: Detail, path: Path) -> None:
    """A half-float EXR; the same detail always comes to the same bytes. Raises StorageError."""
    planes = np.ascontiguousarray(detail.planes[0].permute(1, 2, 0).cpu().numpy())
    held = json.dumps([detail.reach, *detail.energies])
    write_halves(planes, path, {_HELD: held, _MIXTURE: json.dumps(detail.mixture)})


def read_detail(path: Path, device: torch.device | str = "cpu") -> Detail:
    """What `write_detail` wrote. Raises ImageError for anything else."""
    file = open_image(path)
    try:
        specs = parts_of(file)
        if len(specs) != 1 or tuple(specs[0].channelnames) != ("R", "G", "B"):
            raise ImageError(f"{path} is not the detail of a dream.", _AGAIN)
        check_size(specs[0], path)
        reach, *energies = _held(str(specs[0].getattribute(_HELD) or ""), path)
        mixture = _mixture(str(specs[0].getattribute(_MIXTURE) or ""), path)
        pixels = read_channels(file, 0, 0, 3, path)
    finally:
        file.close()
    planes = torch.from_numpy(np.nan_to_num(pixels, nan=0.0)).permute(2, 0, 1)[None]
    return as_read(Detail(planes.half().to(device), tuple(energies), reach, mixture))


def as_read(detail: Detail) -> Detail:
    """A detail as it will be read from its file: a difference of two pictures in [0, 1]."""
    return replace(detail, planes=detail.planes.clamp(-1, 1))


def read_vectors(path: Path) -> Vectors:
    """The Vector pass of a multilayer EXR of Blender's, with its Depth if it has one: of the first view layer that
    has them. Raises ImageError for a file without.
    """
    file = open_image(path)
    try:
        specs = parts_of(file)
        layers = _layers(specs)
        name = next((name for name, channels in layers.items() if set("XYZW") <= set(channels)), None)
        if name is None:
            raise ImageError(f"{path} has no Vector pass.", "Motion blur takes it away: switch it off.")
        check_size(specs[layers[name]["X"][0]], path)
        motion = np.concatenate([_channel(file, layers[name][axis], path) for axis in "XYZW"], axis=2)
        of_layer = name.rpartition(".")[0]
        depth = layers.get(f"{of_layer}.Depth" if of_layer else "Depth", {}).get("Z")
        return Vectors(motion, None if depth is None else _channel(file, depth, path)[..., 0])
    finally:
        file.close()


def _held(text: str, path: Path) -> list[float]:
    try:
        held = [float(number) for number in json.loads(text)]
    except (ValueError, TypeError, RecursionError) as error:
        raise ImageError(f"{path} is not the detail of a dream.", _AGAIN) from error
    good = all(math.isfinite(number) and 0 <= number <= MOST_HELD for number in held)
    if not good or len(held) != 1 + BANDS or not held[0]:
        raise ImageError(f"{path} is a damaged detail of a dream.", _AGAIN)
    return held


def _mixture(text: str, path: Path) -> Mixture:
    try:
        mixture = tuple((str(name), float(share)) for name, share in json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise ImageError(f"{path} is not the detail of a dream.", _AGAIN) from error
    if len(mixture) > MAX_LAYERS or not all(abs(share) <= 1 for _, share in mixture):
        raise ImageError(f"{path} is a damaged detail of a dream.", _AGAIN)
    return mixture


def _layers(specs: list[oiio.ImageSpec]) -> dict[str, dict[str, tuple[int, int]]]:
    """Where each channel is (subimage, number), by the pass it is of and its own name."""
    layers: dict[str, dict[str, tuple[int, int]]] = {}
    for subimage, spec in enumerate(specs):
        for number, name in enumerate(spec.channelnames):
            of_pass, _, channel = name.rpartition(".")
            layers.setdefault(of_pass, {})[channel] = (subimage, number)
    return {name: channels for name, channels in layers.items() if name.rpartition(".")[2] in ("Vector", "Depth")}


def _channel(file: oiio.ImageInput, where: tuple[int, int], path: Path) -> Array:
    subimage, number = where
    return read_channels(file, subimage, number, number + 1, path)
