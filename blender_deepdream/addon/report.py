# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of how a brain learned: as images for image editors, and as icons for panels."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews

_icons: bpy.utils.previews.ImagePreviewCollection | None = None


def load(path: Path) -> bpy.types.Image:
    """The picture as an image of Blender's, as it is on disk now."""
    image = bpy.data.images.load(str(path), check_existing=True)
    image.reload()
    return image


def reload(folder: Path) -> None:
    """Let images of these pictures, where there are any, show what is on disk now."""
    for image in bpy.data.images:
        if image.source == "FILE" and Path(bpy.path.abspath(image.filepath)).parent == folder:
            image.reload()


def icon(path: Path) -> int:
    """The number of an icon of the picture, as it is on disk now; 0 for one that is gone."""
    try:
        written = path.stat().st_mtime_ns
    except OSError:
        return 0
    name = f"{path} {written}"
    if name not in _icons:
        _icons.clear()  # one is shown at a time
        _icons.load(name, str(path), "IMAGE")
    return int(_icons[name].icon_id)


def register() -> None:
    global _icons  # noqa: PLW0603  Blender wants collections of icons to be kept and given back
    _icons = bpy.utils.previews.new()


def unregister() -> None:
    global _icons  # noqa: PLW0603
    bpy.utils.previews.remove(_icons)
    _icons = None
