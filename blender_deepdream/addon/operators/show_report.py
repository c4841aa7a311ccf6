# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a picture of how a brain learned in an image editor."""

from __future__ import annotations

import bpy

from .. import report
from ..languages import reported
from ..report import LEARNING, REPORTS, report_path
from ..training_properties import report_folder


class DEEPDREAM_OT_show_report(bpy.types.Operator):
    """Show this picture in an image editor, in a new window if there is none"""

    bl_idname = "deepdream.show_report"
    bl_label = "Show"

    brain: bpy.props.StringProperty(name="Brain", description="Empty: the one that was trained last")
    picture: bpy.props.EnumProperty(
        name="Picture", items=[(name, name.capitalize(), "") for name in (LEARNING, *REPORTS)]
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        brain = self.brain or context.scene.deepdream.training.trained
        path = report_path(report_folder(context.scene, brain), self.picture)
        if path is None:
            self.report(
                {"ERROR"},
                reported(f"There is no picture of {brain or 'a brain'}'s {self.picture} yet: its training makes it."),
            )
            return {"CANCELLED"}
        image = report.load(path)
        if not bpy.app.background:
            _editor(context).spaces.active.image = image
        return {"FINISHED"}


def _editor(context: bpy.types.Context) -> bpy.types.Area:
    """The largest image editor there is, or one in a window of its own."""
    areas = [area for window in context.window_manager.windows for area in window.screen.areas]
    editors = [area for area in areas if area.type == "IMAGE_EDITOR"]
    if editors:
        return max(editors, key=lambda area: area.width * area.height)
    bpy.ops.wm.window_new()
    area = context.window_manager.windows[-1].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    return area


classes = (DEEPDREAM_OT_show_report,)
