# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dream has come to so far, and quick tests, in the Image Editors that show nothing else of the artist's.

Their images pass: they go before a file is saved, and when what they stand for is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

_NAME, _TEST = "DeepDream Preview", "DeepDream Quick Test"
_SHOWN = "deepdream"
"""Of the preview: name of the image that has made way for it; empty for what is rendered."""


def show(jpeg: bytes, shown: str = "") -> None:
    """Let the preview be this picture. shown: name of an image that makes way for it; empty: what is rendered does."""
    path = Path(bpy.app.tempdir) / "deepdream-preview.jpg"
    path.write_bytes(jpeg)
    image = _loaded(path, _NAME)
    image[_SHOWN] = shown
    for space in _spaces():
        if _makes_way(space.image, shown):
            space.image = image


def test_path() -> Path:
    """Where the dream of a quick test is to be written."""
    return Path(bpy.app.tempdir) / "deepdream-test.exr"


def show_test() -> None:
    """Show the quick test that was written, where the preview was, or what is rendered."""
    image = _loaded(test_path(), _TEST)
    image.use_view_as_render = True
    for space in _spaces():
        if _makes_way(space.image, ""):
            space.image = image


def _loaded(path: Path, name: str) -> bpy.types.Image:
    """The image of this name, of what is in the file now."""
    image = bpy.data.images.get(name)
    if image is None:
        image = bpy.data.images.load(str(path))
        image.name = name
    else:
        image.reload()
    return image


def _makes_way(image: bpy.types.Image | None, shown: str) -> bool:
    if shown:
        return image is not None and image.name == shown
    return image is None or image.type in {"RENDER_RESULT", "COMPOSITING"} or image.name in {_NAME, _TEST}


def instead_of(shown: str, image: bpy.types.Image) -> None:
    """Show an image where another one, by its name, or the preview is."""
    _put(image, bpy.data.images.get(shown), bpy.data.images.get(_NAME))


def end(result: bpy.types.Image | None) -> None:
    """Show the result in the preview's place; what was rendered also in editors that show nothing, or a test."""
    if result is not None and result.type == "RENDER_RESULT":
        _put(result, bpy.data.images.get(_TEST))
        for space in _spaces():
            space.image = space.image or result
        _remove(_TEST)
    _put(result, bpy.data.images.get(_NAME))
    _remove(_NAME)


def end_preview() -> None:
    """Show in the preview's place what was there before."""
    if preview := bpy.data.images.get(_NAME):
        _put(bpy.data.images.get(preview.get(_SHOWN) or "Render Result"), preview)
        _remove(_NAME)


def put_away() -> None:
    """Before a file is saved: it shall not name pictures that are about to go. The next one shows again."""
    end_preview()
    _put(bpy.data.images.get("Render Result"), bpy.data.images.get(_TEST))
    _remove(_TEST)


def _put(image: bpy.types.Image | None, *others: bpy.types.Image | None) -> None:
    for space in _spaces():
        if space.image is not None and space.image in others:
            space.image = image


def _remove(name: str) -> None:
    if image := bpy.data.images.get(name):
        bpy.data.images.remove(image)


def _spaces() -> Iterator[bpy.types.SpaceImageEditor]:
    for window in bpy.context.window_manager.windows:
        yield from (area.spaces.active for area in window.screen.areas if area.type == "IMAGE_EDITOR")
