# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a small scene whose DeepDream node feeds on the frame before: python endless_scene.py PATH."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

import blender_deepdream
from blender_deepdream.addon import node
from tests.scenes import build_scene

blender_deepdream.register()
settings = node.insert_before_output(build_scene()).node_tree.deepdream
settings.endless, settings.zoom = True, 1.2
bpy.ops.wm.save_as_mainfile(filepath=str(Path(sys.argv[-1]).resolve()))
os._exit(0)  # the bpy wheels up to 4.5 crash or hang while Python ends once any class was registered
