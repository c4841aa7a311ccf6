# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the dream server which brains it has, and what they dream."""

from __future__ import annotations

from typing import ClassVar

import bpy

from .running import CancelOperator, Steps, WorkOperator, connector


class DEEPDREAM_OT_update_brains(WorkOperator, bpy.types.Operator):
    """Ask the dream server which brains it has, and fetch pictures of what their layers dream"""

    bl_idname = "deepdream.update_brains"
    bl_label = "Update Brains"

    activity: ClassVar[str] = "brains"
    busy: ClassVar[str] = "Brains are being looked at: wait, or cancel"
    kept: ClassVar[str] = "Finished pictures are kept."

    def make_steps(self, _context: bpy.types.Context, patience: float) -> Steps:
        from ..picturing import look_at_brains

        return look_at_brains(connector(), patience)


class DEEPDREAM_OT_cancel_brains(CancelOperator, bpy.types.Operator):
    """Stop looking at brains; finished pictures are kept"""

    bl_idname = "deepdream.cancel_brains"
    bl_label = "Cancel"

    work = DEEPDREAM_OT_update_brains
    idle = "No brains are being looked at"


classes = (DEEPDREAM_OT_update_brains, DEEPDREAM_OT_cancel_brains)
