# SPDX-License-Identifier: GPL-3.0-or-later
"""Go back to what a node was set to for one of its last dreams."""

from __future__ import annotations

import bpy

from ...protocol.errors import InputError
from ..history import find, restore
from ..languages import reported, shown
from ..target import OnNode, aimed_group
from .running import told_at_once


class DEEPDREAM_OT_restore_dream(OnNode, bpy.types.Operator):
    """Set the node to what it was for this dream: all its settings, seed and regions too"""

    bl_idname = "deepdream.restore_dream"
    bl_label = "Restore Settings"

    name: bpy.props.StringProperty(description="Of the dream; empty: the last one", options={"SKIP_SAVE", "HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        group = aimed_group(context)
        try:
            dream = find(context.scene, group, properties.name) if group else None
        except InputError:
            dream = None
        told = shown(cls.bl_description)
        return f"{told}.\n\n{shown(dream.text)}" if dream else told

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        group = aimed_group(context)
        if missing := restore(find(context.scene, group, self.name), group.deepdream):
            self.report({"WARNING"}, reported(f"Restored, but {', '.join(missing)}."))


classes = (DEEPDREAM_OT_restore_dream,)
