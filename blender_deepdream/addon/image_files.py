# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of Blender's, a guide or a mask, as a file that can be sent."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..protocol.errors import SceneError


def image_file(image: bpy.types.Image, folder: Path) -> Path:
    """The image's own file, or, where it is packed, painted or generated, a copy of its pixels written to `folder`.

    Raises SceneError where there is no still image.
    """
    own = Path(bpy.path.abspath(image.filepath, library=image.library)) if image.filepath else None
    if image.source == "FILE" and own and own.is_file() and not image.packed_file and not image.is_dirty:
        return own
    # counted, not `has_data`: that is false until somebody looks, in a packed image of a file just opened
    if image.source not in {"FILE", "GENERATED"} or not len(image.pixels):
        raise SceneError(f"The image {image.name!r} has no pixels to send.", "Choose a still image that exists.")
    return write_pixels(image, folder)


def write_pixels(image: bpy.types.Image, folder: Path) -> Path:
    """The image's pixels as they are in Blender: scene-linear floats as EXR, 8 bits as PNG. Raises SceneError."""
    # several images may have one name: those of libraries
    path = folder / f"{image.session_uid}.{'exr' if image.is_float else 'png'}"
    # a new image filled with its pixels: Blender's own copy of a painted one is blank
    copy = bpy.data.images.new("DeepDream Copy", *image.size, alpha=True, float_buffer=image.is_float)
    pixels = np.empty(len(image.pixels), np.float32)
    try:
        # floats are written as they are, scene-linear: Blender would encode them for a display, in an EXR too
        copy.colorspace_settings.name = "Non-Color" if image.is_float else image.colorspace_settings.name
        image.pixels.foreach_get(pixels)
        copy.pixels.foreach_set(_with_alpha(pixels, image.channels))
        copy.filepath_raw = str(path)
        copy.file_format = "OPEN_EXR" if image.is_float else "PNG"
        copy.save()
    except RuntimeError as error:
        raise SceneError(f"The image {image.name!r} cannot be written: {error}") from error
    finally:
        bpy.data.images.remove(copy)
    return path


def _with_alpha(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Flat pixels of any number of channels as flat RGBA: grey is spread over the colours."""
    table = pixels.reshape(-1, channels)
    color = table[:, :3] if channels >= 3 else np.repeat(table[:, :1], 3, axis=1)
    alpha = table[:, 3:] if channels == 4 else np.ones((len(table), 1), np.float32)
    return np.concatenate([color, alpha], axis=1).ravel()
