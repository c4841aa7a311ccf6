# SPDX-License-Identifier: GPL-3.0-or-later
"""Make room: delete rendered passes and dreams of the scene."""

from __future__ import annotations

import bpy

from ...protocol.errors import StorageError
from .. import counting, node, room
from ..cache import scene_cache
from ..languages import reported, shown
from .running import told_at_once


class DEEPDREAM_OT_clear_cache(bpy.types.Operator):
    """Delete this scene's rendered passes and dreams; they are made again when they are needed. Finished frames,
    textures and brains stay"""

    bl_idname = "deepdream.clear_cache"
    bl_label = "Clear Cache"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        state = context.window_manager.deepdream
        if state.running or state.surface.running:
            cls.poll_message_set(reported("A dream is running: wait for it, or cancel it"))
            return False
        if bpy.app.is_job_running("RENDER"):
            cls.poll_message_set(reported("Blender is rendering: wait for it, or cancel it"))
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        root = scene_cache(context.scene).root
        try:
            found = room.count(root)
        except StorageError as error:
            self.report({"ERROR"}, reported(str(error)))
            return {"CANCELLED"}
        if not found.files:
            self.report({"INFO"}, reported(f"There is nothing to delete in {root}."))
            return {"CANCELLED"}
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=shown(f"Delete {found.text}?"),
            message=shown(f"Rendered passes and dreams in {root}"),
            confirm_text="Delete",
            icon="WARNING",
        )

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        try:
            gone = room.clear(scene_cache(context.scene).root)
        finally:
            counting.forget()
            node.show_all(context.scene.frame_current)
        self.report({"INFO"}, reported(f"Deleted: {gone.text}."))


classes = (DEEPDREAM_OT_clear_cache,)
