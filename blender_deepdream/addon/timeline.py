# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene's frames: how to go to one, by which camera each is seen, and where shots begin."""

from __future__ import annotations

import bpy

from ..protocol.errors import SceneError
from . import changes


def go_to(scene: bpy.types.Scene, frame: int, subframe: float = 0.0) -> None:
    """Show another frame; that is no change of the artist's."""
    if (scene.frame_current, scene.frame_subframe) != (frame, subframe):
        with changes.not_counted():
            scene.frame_set(frame, subframe=subframe)


def scene_of(uid: int) -> bpy.types.Scene:
    """The scene of this session_uid, looked up anew: an undo replaces all that Blender holds. Raises SceneError."""
    for scene in bpy.data.scenes:
        if scene.session_uid == uid:
            return scene
    raise SceneError("The scene that was dreaming is gone.", "Undo, or start again; what is finished is kept.")


def camera_of(scene: bpy.types.Scene, frame: int) -> str:
    """The camera that a frame is seen by: that of the last marker with one, else the scene's."""
    bound = [marker for marker in scene.timeline_markers if marker.camera is not None]
    past = [marker for marker in bound if marker.frame <= frame]
    if bound:
        # before the first marker Blender uses that one's camera, too
        return str(max(past, key=lambda marker: marker.frame, default=min(bound, key=lambda m: m.frame)).camera.name)
    return str(scene.camera.name) if scene.camera else ""


def shots_of(scene: bpy.types.Scene) -> list[range]:
    """The frames of the scene's range by shots: a marker with another camera cuts."""
    shots: list[range] = []
    for frame in range(scene.frame_start, scene.frame_end + 1, scene.frame_step):
        if shots and camera_of(scene, frame) == camera_of(scene, shots[-1][0]):
            shots[-1] = range(shots[-1].start, frame + 1, scene.frame_step)
        else:
            shots.append(range(frame, frame + 1, scene.frame_step))
    return shots


def shot_of(scene: bpy.types.Scene, number: int) -> range:
    """The frames of a shot; they count from 1. Raises SceneError."""
    shots = shots_of(scene)
    if not 1 <= number <= len(shots):
        names = ", ".join(f"{index} ({shot[0]}-{shot[-1]})" for index, shot in enumerate(shots, 1))
        raise SceneError(f"There is no shot {number}.", f"There are: {names}. Markers with cameras cut.")
    return shots[number - 1]
