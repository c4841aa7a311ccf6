# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in files as icons for panels, loaded when first drawn."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews

_icons: bpy.utils.previews.ImagePreviewCollection | None = None


def icon(path: Path) -> int:
    """The number of an icon of the picture, as it is on disk now; 0 for one that is not there."""
    try:
        name = f"{path} {path.stat().st_mtime_ns}"
    except OSError:
        return 0
    if name not in _icons:
        # asked for its size it is read now, not after it was drawn as an hourglass
        _ = _icons.load(name, str(path), "IMAGE").image_size[0]
    return int(_icons[name].icon_id)


def register() -> None:
    global _icons  # noqa: PLW0603  Blender wants collections of icons to be kept and given back
    _icons = bpy.utils.previews.new()


def unregister() -> None:
    global _icons  # noqa: PLW0603
    bpy.utils.previews.remove(_icons)
    _icons = None
