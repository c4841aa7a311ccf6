# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes for tests, built by script in whatever Blender runs."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy


def build_scene(width: int = 64, height: int = 48) -> bpy.types.Scene:
    """An empty file with a moving monkey, a camera, a light world and Cycles at two samples."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_monkey_add()
    monkey = bpy.context.object
    monkey.rotation_euler.z = -0.5
    monkey.keyframe_insert("rotation_euler", frame=1)
    monkey.rotation_euler.z = 0.5
    monkey.keyframe_insert("rotation_euler", frame=10)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0, -4, 0), (1.5708, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.rotation_euler = (0.8, 0.3, 0)
    sun.data.energy = 12
    scene.collection.objects.link(sun)
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.2, 0.3, 0.4)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 2
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.frame_start, scene.frame_end = 1, 3
    return scene


if __name__ == "__main__":
    build_scene()
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(sys.argv[-1]).resolve()))
