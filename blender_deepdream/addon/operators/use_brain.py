# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a DeepDream node dream with the brain that was trained."""

from __future__ import annotations

import bpy

from ..languages import reported
from ..target import OnNode, aimed_group


class DEEPDREAM_OT_use_brain(OnNode, bpy.types.Operator):
    """Let the DeepDream node dream with this brain, in the layers of its own choice"""

    bl_idname = "deepdream.use_brain"
    bl_label = "Use This Brain"

    brain: bpy.props.StringProperty(name="Brain", description="Empty: the one that was trained last")

    def execute(self, context: bpy.types.Context) -> set[str]:
        name = self.brain or context.scene.deepdream.training.trained
        if not name:
            self.report({"ERROR"}, reported("No brain has been trained here yet. Start a training, or name a brain."))
            return {"CANCELLED"}
        settings = aimed_group(context).deepdream
        settings.brain, settings.layers = name, ""
        return {"FINISHED"}


classes = (DEEPDREAM_OT_use_brain,)
