# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Blender's images can dream."""

from __future__ import annotations

import bpy

from ..protocol.errors import SceneError

_MAX_SIDE = 16384


def check_image(image: bpy.types.Image | None) -> bpy.types.Image:
    """Raises SceneError for an image that cannot dream."""
    if image is None:
        raise SceneError("There is no image to dream.", "Open one in the Image Editor.")
    if image.source == "TILED":
        raise SceneError(f"{image.name!r} is made of UDIM tiles.", "Dream its object: Dream Surface, in the 3D View.")
    if image.source not in {"FILE", "GENERATED"} or image.type in {"RENDER_RESULT", "COMPOSITING", "MULTILAYER"}:
        raise SceneError(f"{image.name!r} is no still image.", "Save one frame of it as an image, and open that.")
    if not len(image.pixels):  # counted, not `has_data`: that is false until somebody looks
        raise SceneError(f"The image {image.name!r} has no pixels.", "Is its file there? Reload it: Image > Reload.")
    if max(image.size) > _MAX_SIDE:
        raise SceneError(f"{image.name!r} is larger than {_MAX_SIDE} pixels.", "Scale it down: Image > Resize.")
    return image
