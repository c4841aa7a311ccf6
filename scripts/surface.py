# SPDX-License-Identifier: GPL-3.0-or-later
"""Dream the textures of objects through views from all sides.

    blender -b statue.blend -P scripts/surface.py -- --objects Statue --size 2048 --output dreamed
    python scripts/surface.py statue.blend --objects Statue --size 2048 --output dreamed      (with the bpy wheel)

The work is in blender_deepdream/addon/batch_surface.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import render

if __name__ == "__main__":
    render.end(render.main("batch_surface"))
