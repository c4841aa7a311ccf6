# SPDX-License-Identifier: GPL-3.0-or-later
"""Dream the current frame and show it."""

from __future__ import annotations

import bpy

from ..cache import scene_cache
from ..run import Job
from .dream import DreamOperator
from .running import connect


class DEEPDREAM_OT_dream_frame(DreamOperator, bpy.types.Operator):
    """Render the current frame if need be, dream it in all DeepDream nodes and show the result"""

    bl_idname = "deepdream.dream_frame"
    bl_label = "Dream Frame"

    def make_job(self, context: bpy.types.Context) -> Job:
        scene = context.scene
        return Job(scene, [scene.frame_current], scene_cache(scene), connect, rerender=scene.deepdream.rerender)

    def finish(self, context: bpy.types.Context) -> None:
        super().finish(context)
        result = bpy.data.images.get("Render Result")
        for window in context.window_manager.windows:
            for area in window.screen.areas:
                if area.type == "IMAGE_EDITOR" and area.spaces.active.image is None:
                    area.spaces.active.image = result


classes = (DEEPDREAM_OT_dream_frame,)
