# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dream has come to so far, in the Image Editors that show nothing else of the artist's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

_NAME = "DeepDream Preview"
_SHOWN = "deepdream"
"""Of the preview: name of the image that has made way for it; empty for what is rendered."""


def show(jpeg: bytes, shown: str = "") -> None:
    """Let the preview be this picture. shown: name of an image that makes way for it; empty: what is rendered does."""
    path = Path(bpy.app.tempdir) / "deepdream-preview.jpg"
    path.write_bytes(jpeg)
    image = bpy.data.images.get(_NAME)
    if image is None:
        image = bpy.data.images.load(str(path))
        image.name = _NAME
    else:
        image.reload()
    image[_SHOWN] = shown
    for space in _spaces():
        if _makes_way(space.image, shown):
            space.image = image


def _makes_way(image: bpy.types.Image | None, shown: str) -> bool:
    if shown:
        return image is not None and image.name == shown
    return image is None or image.type in {"RENDER_RESULT", "COMPOSITING"}


def instead_of(shown: str, image: bpy.types.Image) -> None:
    """Show an image where another one, by its name, or the preview is."""
    for space in _spaces():
        if space.image and space.image.name in (shown, _NAME):
            space.image = image


def end(result: bpy.types.Image | None) -> None:
    """Show the result in its place; what was rendered also in editors that show nothing."""
    preview = bpy.data.images.get(_NAME)
    rendered = result is not None and result.type == "RENDER_RESULT"
    for space in _spaces():
        if (space.image is None and rendered) or (preview and space.image == preview):
            space.image = result
    if preview:
        bpy.data.images.remove(preview)


def put_away() -> None:
    """Before a file is saved: it shall not name a picture that is about to go. The next one shows again."""
    if preview := bpy.data.images.get(_NAME):
        end(bpy.data.images.get(preview.get(_SHOWN) or "Render Result"))


def _spaces() -> Iterator[bpy.types.SpaceImageEditor]:
    for window in bpy.context.window_manager.windows:
        yield from (area.spaces.active for area in window.screen.areas if area.type == "IMAGE_EDITOR")
