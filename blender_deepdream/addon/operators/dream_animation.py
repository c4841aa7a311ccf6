# SPDX-License-Identifier: GPL-3.0-or-later
"""Dream the scene's frames and write them where the scene's output says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...protocol.errors import SceneError
from ..cache import scene_cache
from ..preferences import server_address
from .dream import DreamOperator
from .running import connector

if TYPE_CHECKING:
    from ..run import Job


class DEEPDREAM_OT_dream_animation(DreamOperator, bpy.types.Operator):
    """Render, dream and write all frames of the scene's range to its output folder"""

    bl_idname = "deepdream.dream_animation"
    bl_label = "Dream Animation"

    def make_job(self, context: bpy.types.Context) -> Job:
        from ..run import Job

        scene = context.scene
        if scene.render.is_movie_format:
            raise SceneError("Dreams are written as images, not as a movie.", "Choose PNG or OpenEXR under Output.")
        frames = range(scene.frame_start, scene.frame_end + 1, scene.frame_step)
        paths = {frame: Path(bpy.path.abspath(scene.render.frame_path(frame=frame))) for frame in frames}
        return Job(
            scene,
            frames,
            scene_cache(scene),
            connector(),
            output=paths.__getitem__,
            overwrite=scene.render.use_overwrite,
            placeholders=scene.render.use_placeholder,
            rerender=scene.deepdream.rerender,
            where=server_address(),
        )


classes = (DEEPDREAM_OT_dream_animation,)
