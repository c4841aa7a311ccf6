# SPDX-License-Identifier: GPL-3.0-or-later
"""Dream the current frame and show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..cache import scene_cache
from ..preferences import server_address
from .dream import DreamOperator
from .running import connector

if TYPE_CHECKING:
    from ..run import Job


class DEEPDREAM_OT_dream_frame(DreamOperator, bpy.types.Operator):
    """Render the current frame if need be, dream it in all DeepDream nodes and show the result"""

    bl_idname = "deepdream.dream_frame"
    bl_label = "Dream Frame"

    def make_job(self, context: bpy.types.Context) -> Job:
        from ..run import Job

        scene = context.scene
        return Job(
            scene,
            [scene.frame_current],
            scene_cache(scene),
            connector(),
            rerender=scene.deepdream.rerender,
            where=server_address(),
        )


classes = (DEEPDREAM_OT_dream_frame,)
