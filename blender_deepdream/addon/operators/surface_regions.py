# SPDX-License-Identifier: GPL-3.0-or-later
"""Add and remove regions of the surfaces that dream."""

from __future__ import annotations

from typing import ClassVar

import bpy

from ...protocol.regions import MAX_REGIONS
from ..languages import reported


class DEEPDREAM_OT_add_surface_region(bpy.types.Operator):
    """Add a part of the surfaces that dreams of its own"""

    bl_idname = "deepdream.add_surface_region"
    bl_label = "Add Region"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if len(context.scene.deepdream.surface.regions) >= MAX_REGIONS:
            cls.poll_message_set(
                reported(f"Surfaces have at most {MAX_REGIONS} regions: join masks that dream of the same")
            )
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.deepdream.surface
        settings.regions.add()
        settings.region = len(settings.regions) - 1
        return {"FINISHED"}


class DEEPDREAM_OT_remove_surface_region(bpy.types.Operator):
    """Remove the region chosen in the list"""

    bl_idname = "deepdream.remove_surface_region"
    bl_label = "Remove Region"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not context.scene.deepdream.surface.regions:
            cls.poll_message_set(reported("Add a region first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.deepdream.surface
        chosen = min(settings.region, len(settings.regions) - 1)
        settings.regions.remove(chosen)
        settings.region = max(0, min(chosen, len(settings.regions) - 1))
        return {"FINISHED"}


classes = (DEEPDREAM_OT_add_surface_region, DEEPDREAM_OT_remove_surface_region)
