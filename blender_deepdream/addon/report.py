# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of how a brain learned: as images for image editors, and as icons for panels."""

from __future__ import annotations

from pathlib import Path

import bpy

from .pictures import Icons

REPORTS = ("dreams", "curves", "confusion", "atlas")
"""As `TrainResult` names them."""
LEARNING = "learning"
"""What it has come to so far: there until it is done."""
SUFFIXES = (".jpg", ".png")

_icons = Icons(single=True)
icon, register, unregister = _icons.icon, _icons.register, _icons.unregister


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


def report_path(folder: Path, name: str) -> Path | None:
    """Where one of `REPORTS`, or LEARNING, lies, if it is there."""
    return next((path for path in (folder / f"{name}{suffix}" for suffix in SUFFIXES) if path.is_file()), None)
