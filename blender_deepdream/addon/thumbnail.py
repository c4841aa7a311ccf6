# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of dreams, for panels."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..protocol.errors import StorageError
from . import changes
from .cache import PROCESS

SIDE = 192
"""Of the longer side, in pixels."""


def write_thumbnail(exr: Path, jpeg: Path) -> None:
    """An EXR of scene-linear numbers as a small JPEG, cut off at white; whole or not at all. Raises StorageError."""
    unnamed = jpeg.with_name(f".{jpeg.stem}.{PROCESS}.jpg")
    with changes.not_counted():
        pixels = _small(exr)
        height, width = pixels.shape[:2]
        picture = bpy.data.images.new("DeepDream thumbnail", width, height)
        try:
            pixels[..., :3] = _encoded(pixels[..., :3])
            pixels[..., 3] = 1
            picture.pixels.foreach_set(pixels.ravel())
            picture.filepath_raw, picture.file_format = str(unnamed), "JPEG"
            picture.save()
            unnamed.replace(jpeg)
        except (RuntimeError, OSError) as error:
            unnamed.unlink(missing_ok=True)
            raise StorageError(f"{jpeg} cannot be written: {error}", "Make room on the disk.") from error
        finally:
            bpy.data.images.remove(picture)


def _small(exr: Path) -> NDArray[np.float32]:
    """Height x width x 4, bottom row first, the numbers as they are."""
    image = bpy.data.images.load(str(exr))
    try:
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        shrink = min(1.0, SIDE / max(image.size))
        image.scale(*(max(1, round(side * shrink)) for side in image.size))
        values = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(values)
        return values.reshape(image.size[1], image.size[0], 4)
    finally:
        bpy.data.images.remove(image)


def _encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """As sRGB has it."""
    clipped = np.nan_to_num(linear).clip(0, 1)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
