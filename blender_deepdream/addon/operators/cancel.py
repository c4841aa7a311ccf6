# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop the dream that is running."""

from __future__ import annotations

import bpy


class DEEPDREAM_OT_cancel(bpy.types.Operator):
    """Stop dreaming; finished frames are kept"""

    bl_idname = "deepdream.cancel"
    bl_label = "Cancel Dream"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not context.window_manager.deepdream.running:
            cls.poll_message_set("No dream is running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.deepdream.cancelling = True
        return {"FINISHED"}


classes = (DEEPDREAM_OT_cancel,)
