# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in files as icons for panels, loaded when first drawn."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews


class Icons:
    """Kept while the add-on is on: Blender wants collections of icons to be given back."""

    def __init__(self, *, single: bool = False) -> None:
        """single: whether one picture is shown at a time, and what was shown before it need not stay."""
        self._single = single
        self._loaded: bpy.utils.previews.ImagePreviewCollection | None = None

    def register(self) -> None:
        self._loaded = bpy.utils.previews.new()

    def unregister(self) -> None:
        bpy.utils.previews.remove(self._loaded)
        self._loaded = None

    def icon(self, path: Path) -> int:
        """The number of an icon of the picture, as it is on disk now; 0 for one that is not there."""
        try:
            name = f"{path} {path.stat().st_mtime_ns}"
        except OSError:
            return 0
        if name not in self._loaded:
            if self._single:
                self._loaded.clear()
            # asked for its size it is read now, not after it was drawn as an hourglass
            _ = self._loaded.load(name, str(path), "IMAGE").image_size[0]
        return int(self._loaded[name].icon_id)


_pictures = Icons()
icon, register, unregister = _pictures.icon, _pictures.register, _pictures.unregister
