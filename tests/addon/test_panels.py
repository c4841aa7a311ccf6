# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels draw with."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

from blender_deepdream import addon


def test_every_icon_is_one_of_this_blenders() -> None:
    """Drawing happens in a window alone, and there a wrong name takes the whole panel away."""
    known = {
        *bpy.types.UILayout.bl_rna.functions["prop"].parameters["icon"].enum_items.keys(),
        *bpy.types.WindowManager.bl_rna.functions["invoke_confirm"].parameters["icon"].enum_items.keys(),
    }
    sources = [path.read_text("utf-8") for path in Path(addon.__file__).parent.rglob("*.py")]
    used = {name for source in sources for name in re.findall(r'icon="([A-Z0-9_]+)"', source)}
    assert len(used) > 20
    assert used <= known
