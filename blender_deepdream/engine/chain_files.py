# SPDX-License-Identifier: GPL-3.0-or-later
"""What crosses from frame to frame, as files: the detail that a frame hands on, and Blender's motion passes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import OpenImageIO as oiio
import torch

from ..protocol.errors import ImageError
from ..protocol.layers import MAX_LAYERS
from .correspondence import Vectors
from .image_output import write_halves
from .images import check_size, open_image, parts_of, read_channels
from .mixture import Mixture
from .render_passes import first_pass, passes_in, read_pass
from .temporal import BANDS, Detail

Value = TypeVar("Value")

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
        reach, *energies = _attribute(specs[0], _HELD, _held, path)
        mixture = _attribute(specs[0], _MIXTURE, _mixture, path)
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
        passes = passes_in(specs)
        name = first_pass(passes, ["Vector"], "XYZW")
        if name is None:
            raise ImageError(f"{path} has no Vector pass.", "Motion blur takes it away: switch it off.")
        check_size(specs[passes[name]["X"][0]], path)
        motion = read_pass(file, passes[name], "XYZW", path)
        depth = passes.get(f"{name.removesuffix('Vector')}Depth", {})
        return Vectors(motion, read_pass(file, depth, "Z", path)[..., 0] if "Z" in depth else None)
    finally:
        file.close()


def _attribute(spec: oiio.ImageSpec, name: str, read: Callable[[Any], Value], path: Path) -> Value:
    try:
        return read(json.loads(str(spec.getattribute(name) or "")))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ImageError(f"{path} is not the detail of a dream, or a damaged one.", _AGAIN) from error


def _held(data: Any) -> list[float]:
    held = [float(number) for number in data]
    good = all(math.isfinite(number) and 0 <= number <= MOST_HELD for number in held)
    if not good or len(held) != 1 + BANDS or not held[0]:
        raise ValueError(held)
    return held


def _mixture(data: Any) -> Mixture:
    mixture = tuple((str(name), float(share)) for name, share in data)
    if len(mixture) > MAX_LAYERS or not all(abs(share) <= 1 for _, share in mixture):
        raise ValueError(mixture)
    return mixture
