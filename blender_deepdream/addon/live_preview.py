# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dream has come to so far, in the Image Editors that show nothing else of the artist's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

_NAME = "DeepDream Preview"


def show(jpeg: bytes) -> None:
    """Let the preview be this picture."""
    path = Path(bpy.app.tempdir) / "deepdream-preview.jpg"
    path.write_bytes(jpeg)
    image = bpy.data.images.get(_NAME)
    if image is None:
        image = bpy.data.images.load(str(path))
        image.name = _NAME
    else:
        image.reload()
    for space in _spaces():
        if space.image is None or space.image.type in {"RENDER_RESULT", "COMPOSITING"}:
            space.image = image


def end(result: bpy.types.Image | None) -> None:
    """Show the result in its place, and in editors that show nothing."""
    preview = bpy.data.images.get(_NAME)
    for space in _spaces():
        if space.image is None or space.image == preview:
            space.image = result
    if preview:
        bpy.data.images.remove(preview)


def _spaces() -> Iterator[bpy.types.SpaceImageEditor]:
    for window in bpy.context.window_manager.windows:
        yield from (area.spaces.active for area in window.screen.areas if area.type == "IMAGE_EDITOR")
