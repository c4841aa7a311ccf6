# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's passes that say where on a surface each pixel of a view lies, from a multilayer EXR."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ...protocol.errors import ImageError
from ..color import Array
from ..images import check_size, open_image, parts_of
from ..render_passes import Channels, first_pass, passes_in, read_pass

_WANTED = {
    "places": (("UV",), "UV"),
    "normals": (("Normal",), "XYZ"),
    "positions": (("Position",), "XYZ"),
    "sheet": (("IndexMA", "Material Index"), "X"),
}
"""The names that versions of Blender give to a pass, and its channels."""
_MOST_SHEETS = 4096


class Passes(NamedTuple):
    """places: HxWx2, u and v in [0, 1). normals, positions: HxWx3, world space. sheet: HxW, from 1, 0 for none."""

    places: Array
    normals: Array
    positions: Array
    sheet: NDArray[np.int64]


def read_passes(path: Path) -> Passes:
    """Raises ImageError for a file that is damaged or lacks a pass."""
    file = open_image(path)
    try:
        specs = parts_of(file)
        for spec in specs:
            check_size(spec, path)
        passes = passes_in(specs)
        found = {name: _read(file, passes, *wanted, path) for name, wanted in _WANTED.items()}
    finally:
        file.close()
    if len({pass_.shape[:2] for pass_ in found.values()}) != 1:
        raise ImageError(f"{path} has passes of different sizes.")
    index = np.rint(found["sheet"][..., 0].clip(0, _MOST_SHEETS)).astype(np.int64)
    return Passes(found["places"] % 1, found["normals"], found["positions"], index)


def _read(
    file: oiio.ImageInput, passes: Mapping[str, Channels], names: tuple[str, ...], axes: str, path: Path
) -> Array:
    """HxWxC, finite: the first pass of one of these names that has these channels. Raises ImageError for none."""
    name = first_pass(passes, names, axes)
    if name is None:
        raise ImageError(
            f"{path} has no {names[-1]} pass.", "Render views with UV, Normal, Position and Material Index."
        )
    finite: Array = np.nan_to_num(read_pass(file, passes[name], axes, path), posinf=0.0, neginf=0.0)
    return finite
