# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in Blender in background: an artist's shot of four frames, which are written beside it.

blender -b --factory-startup -P shot.py -- PATH.blend
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))
from scenes import build_scene

scene = build_scene(128, 96)
scene.frame_end = 4
scene.cycles.use_denoising = False  # Debian's 4.3 is built without it, and renders nothing where it is wanted
scene.render.filepath = "//frames/"
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
