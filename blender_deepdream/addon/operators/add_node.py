# SPDX-License-Identifier: GPL-3.0-or-later
"""Add > DeepDream in the compositor."""

from __future__ import annotations

import bpy

from .. import compat, node
from ..languages import reported


class DEEPDREAM_OT_add_node(bpy.types.Operator):
    """Add a node that dreams its image"""

    bl_idname = "deepdream.add_node"
    bl_label = "DeepDream"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        space = context.space_data
        if space is None or space.type != "NODE_EDITOR" or space.tree_type != "CompositorNodeTree":
            cls.poll_message_set(reported("Open a compositor: the DeepDream node lives there"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        tree = context.space_data.edit_tree or compat.make_compositor_tree(context.scene)
        for other in tree.nodes:
            other.select = False
        added = node.add_node(tree)
        added.location = context.space_data.cursor_location
        added.select = True
        tree.nodes.active = added
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.space_data.cursor_location_from_region(event.mouse_region_x, event.mouse_region_y)
        outcome = self.execute(context)
        # as every node of the Add menu: it follows the mouse until a click drops it, onto a link if there is one
        bpy.ops.node.translate_attach_remove_on_cancel("INVOKE_DEFAULT")
        return outcome


classes = (DEEPDREAM_OT_add_node,)
