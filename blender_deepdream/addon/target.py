# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose settings a button changes: those that the sidebar beside it shows."""

from __future__ import annotations

import bpy

from ..protocol.errors import SceneError
from . import node
from .languages import reported


def shown_settings(context: bpy.types.Context) -> bpy.types.PropertyGroup | None:
    """Of the DeepDream node in a compositor; of the image in an Image Editor; of surfaces in a 3D View.

    Elsewhere, and from scripts, those of the scene's first node; None if it has none.
    """
    kind = getattr(context.space_data, "type", "")
    if kind == "IMAGE_EDITOR":
        return context.scene.deepdream.image
    if kind == "VIEW_3D":
        return context.scene.deepdream.surface
    group = aimed_group(context)
    return group and group.deepdream


def aimed_group(context: bpy.types.Context) -> bpy.types.NodeTree | None:
    """The DeepDream node that the sidebar shows; for scripts, the scene's first, if it has one."""
    if shown := node.shown_group(context):
        return shown
    try:
        return next((found.group for found in node.find_nodes(context.scene)), None)
    except SceneError:  # buttons ask this as they are drawn; whoever presses Dream is told
        return None


class OnSettings:
    """Mixed into operators that change them."""

    bl_options = {"REGISTER", "UNDO"}
    aim = staticmethod(shown_settings)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if cls.aim(context) is None:
            cls.poll_message_set(reported("Add a DeepDream node first"))
            return False
        return True


class OnNode(OnSettings):
    """Mixed into operators that change a DeepDream node, wherever their button is."""

    aim = staticmethod(aimed_group)
