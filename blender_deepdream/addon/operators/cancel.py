# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop the dream that is running."""

from __future__ import annotations

import bpy

from .dream import DreamOperator
from .running import CancelOperator


class DEEPDREAM_OT_cancel(CancelOperator, bpy.types.Operator):
    """Stop dreaming; finished frames are kept"""

    bl_idname = "deepdream.cancel"
    bl_label = "Cancel Dream"

    work = DreamOperator
    idle = "No dream is running"


classes = (DEEPDREAM_OT_cancel,)
