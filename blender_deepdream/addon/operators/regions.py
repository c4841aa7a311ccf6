# SPDX-License-Identifier: GPL-3.0-or-later
"""Add and remove regions of the DeepDream node that the sidebar shows."""

from __future__ import annotations

import bpy

from ...protocol.regions import MAX_REGIONS
from .. import node, regions
from ..languages import reported


class DEEPDREAM_OT_add_region(bpy.types.Operator):
    """Add a part of the image that dreams of its own, with an input on the node for its mask"""

    bl_idname = "deepdream.add_region"
    bl_label = "Add Region"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        group = node.shown_group(context)
        if group is None:
            cls.poll_message_set(reported("Choose a DeepDream node first"))
        elif len(group.deepdream.regions) >= MAX_REGIONS:
            cls.poll_message_set(
                reported(f"A node has at most {MAX_REGIONS} regions: join masks that dream of the same")
            )
            return False
        return group is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        regions.add_region(node.shown_group(context))
        return {"FINISHED"}


class DEEPDREAM_OT_remove_region(bpy.types.Operator):
    """Remove the region chosen in the list, and its input"""

    bl_idname = "deepdream.remove_region"
    bl_label = "Remove Region"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        group = node.shown_group(context)
        if group is None or not group.deepdream.regions:
            cls.poll_message_set(reported("Add a region first" if group else "Choose a DeepDream node first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        group = node.shown_group(context)
        regions.remove_region(group, min(group.deepdream.region, len(group.deepdream.regions) - 1))
        return {"FINISHED"}


classes = (DEEPDREAM_OT_add_region, DEEPDREAM_OT_remove_region)
