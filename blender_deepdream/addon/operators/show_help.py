# SPDX-License-Identifier: GPL-3.0-or-later
"""Open the user guide where it helps."""

from __future__ import annotations

import bpy

from ..help_pages import address
from .running import told_at_once


class DEEPDREAM_OT_show_help(bpy.types.Operator):
    """Open the user guide's page on this in the browser. It came with the add-on: no network is needed"""

    bl_idname = "deepdream.show_help"
    bl_label = "Help"

    page: bpy.props.StringProperty(name="Page", description="With #part, if need be", default="README")

    @told_at_once
    def execute(self, _context: bpy.types.Context) -> None:
        bpy.ops.wm.url_open(url=address(self.page))


classes = (DEEPDREAM_OT_show_help,)
