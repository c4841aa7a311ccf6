# SPDX-License-Identifier: GPL-3.0-or-later
"""The passes of a render, in a multilayer EXR of Blender's: channels like "ViewLayer.Depth.Z"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from .color import Array
from .images import read_channels

Channels = Mapping[str, tuple[int, int]]
"""Where the channels of a pass are, subimage and number, by their own names."""


def passes_in(specs: Sequence[oiio.ImageSpec]) -> Mapping[str, Channels]:
    """All passes by name, with that of their view layer before it. specs: of each subimage."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for subimage, spec in enumerate(specs):
        for number, name in enumerate(spec.channelnames):
            of_pass, _, channel = name.rpartition(".")
            found.setdefault(of_pass, {})[channel] = (subimage, number)
    return found


def first_pass(passes: Mapping[str, Channels], names: Sequence[str], axes: str) -> str | None:
    """The first pass, of whatever view layer, that has one of these names, and these channels among its own."""
    called = (name for name in passes if name.rpartition(".")[2] in names)
    return next((name for name in called if set(axes) <= set(passes[name])), None)


def read_pass(file: oiio.ImageInput, channels: Channels, axes: str, path: Path) -> Array:
    """HxWxC: these channels of a pass, in this order. Raises ImageError for a file that is cut short."""
    places = [channels[axis] for axis in axes]
    planes = [read_channels(file, subimage, number, number + 1, path) for subimage, number in places]
    return np.concatenate(planes, axis=2)
