# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream in the compositor's Add menu."""

from __future__ import annotations

import bpy

from ..operators.add_node import DEEPDREAM_OT_add_node


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    if context.space_data.tree_type == "CompositorNodeTree":
        self.layout.separator()
        self.layout.operator(DEEPDREAM_OT_add_node.bl_idname)


def register() -> None:
    bpy.types.NODE_MT_add.append(_draw)


def unregister() -> None:
    bpy.types.NODE_MT_add.remove(_draw)
