# SPDX-License-Identifier: GPL-3.0-or-later
"""EXR files with the channels that a test wants, as a render has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray


def write_channels(path: Path, channels: Mapping[str, NDArray[np.float32]]) -> None:
    """channels: HxW each, by name ("ViewLayer.Depth.Z"), in this order."""
    pixels = np.ascontiguousarray(np.stack(list(channels.values()), axis=2), np.float32)
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], "float")
    spec.channelnames = tuple(channels)
    write_exr(path, spec, pixels)


def write_exr(path: Path, spec: oiio.ImageSpec, pixels: NDArray[np.floating]) -> None:
    output = oiio.ImageOutput.create("openexr")
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    assert output.close()
