# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene's frames: how to go to one, and by which camera each is seen."""

from __future__ import annotations

import bpy

from . import changes


def go_to(scene: bpy.types.Scene, frame: int, subframe: float = 0.0) -> None:
    """Show another frame; that is no change of the artist's."""
    if (scene.frame_current, scene.frame_subframe) != (frame, subframe):
        with changes.not_counted():
            scene.frame_set(frame, subframe=subframe)


def camera_of(scene: bpy.types.Scene, frame: int) -> str:
    """The camera that a frame is seen by: that of the last marker with one, else the scene's."""
    bound = [marker for marker in scene.timeline_markers if marker.camera is not None]
    past = [marker for marker in bound if marker.frame <= frame]
    if bound:
        # before the first marker Blender uses that one's camera, too
        return str(max(past, key=lambda marker: marker.frame, default=min(bound, key=lambda m: m.frame)).camera.name)
    return str(scene.camera.name) if scene.camera else ""
