# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the three shots by which coherence is measured: an orbit, things that cross each other, and a fast pan.

    .venv-blender/bin/python scripts/shots.py FOLDER [--frames 24] [--width 480] [--shots orbit crossing pan]

Leaves FOLDER/<shot>/####.exr: float multilayer EXRs, 16:9, with Combined, Vector and Depth; and
FOLDER/<shot>/cameras.json: for each frame, by its number, the nine numbers of `addon.camera.turn`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from blender_deepdream.addon import camera

SAMPLES = 24


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Render the shots by which coherence is measured.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--width", type=int, default=480, help="in pixels (default: 480)")
    parser.add_argument("--shots", nargs="+", choices=list(SHOTS), default=list(SHOTS))
    options = parser.parse_args(arguments)
    for shot in options.shots:
        render(shot, options.frames, options.width, options.folder / shot)


def render(shot: str, frames: int, width: int, folder: Path) -> None:
    """All frames of a shot, and how its background turns."""
    build(shot, frames)
    scene, views, turns = bpy.context.scene, {}, {}
    scene.render.resolution_x, scene.render.resolution_y = width, round(width * 9 / 16)
    for frame in range(1, frames + 1):
        scene.frame_set(frame)
        views[frame] = camera.view(scene)
        turns[frame] = camera.turn(views[frame], views.get(frame - 1))
        scene.render.filepath = str((folder / f"{frame:04}.exr").resolve())
        bpy.ops.render.render(write_still=True)
    (folder / "cameras.json").write_text(json.dumps(turns))


def build(shot: str, frames: int) -> None:
    """The scene of a shot: the same ground and things, another motion."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, frames
    _configure(scene)
    _light(scene)
    things = _things()
    eye = scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    eye.data.lens = 32
    scene.collection.objects.link(eye)
    for frame in range(0, frames + 2):  # vectors look at the frames around each
        SHOTS[shot]((frame - 1) / 24, eye, things)
        for moved in (eye, *things):
            moved.keyframe_insert("location", frame=frame)
            moved.keyframe_insert("rotation_euler", frame=frame)


def _orbit(time: float, eye: Any, things: list[Any]) -> None:
    """A sixth around the things in each second, rising in the first. time: seconds."""
    angle = -2.0 + time * math.tau / 6
    _look(eye, Vector((8 * math.cos(angle), 8 * math.sin(angle), 2.6 + min(time, 1.0))), Vector((0, 0, 0.9)))


def _crossing(time: float, eye: Any, things: list[Any]) -> None:
    """The camera stands still, three things pass before and behind the others."""
    _look(eye, Vector((0, -8.5, 2.4)), Vector((0, 0, 1.0)))
    ball, ring, block = things[:3]
    ball.location = (-4 + 8 * time, -2.4, 0.9)
    ball.rotation_euler = (0, 5 * time, 0)
    ring.location = (3.5 - 6.5 * time, -0.6, 1.2 + 0.5 * math.sin(5 * time))
    ring.rotation_euler = (1.2, 0.8 * time, 2 * time)
    block.location = (0.6, 3.2 - 5.5 * time, 0.8)


def _pan(time: float, eye: Any, things: list[Any]) -> None:
    """A fast pan: some twelve pixels from frame to frame."""
    eye.location = (0, -7, 2.2)
    angle = -0.55 + 1.1 * time
    _look(eye, eye.location, eye.location + Vector((math.sin(angle), math.cos(angle), -0.12)))


SHOTS: dict[str, Callable[[float, Any, list[Any]], None]] = {"orbit": _orbit, "crossing": _crossing, "pan": _pan}


def _look(eye: Any, place: Vector, at: Vector) -> None:
    eye.location = place
    eye.rotation_euler = (at - place).to_track_quat("-Z", "Y").to_euler()


def _configure(scene: Any) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples = "CPU", SAMPLES
    scene.cycles.use_denoising, scene.cycles.max_bounces, scene.cycles.seed = False, 2, 0
    scene.cycles.use_animated_seed = False
    scene.view_settings.view_transform = "Standard"
    layer = scene.view_layers[0]
    layer.use_pass_vector = layer.use_pass_z = True
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.color_depth = "OPEN_EXR_MULTILAYER", "32"


def _light(scene: Any) -> None:
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.data.angle = 2.6, 0.05
    sun.rotation_euler = (0.9, 0.25, 0.6)
    scene.collection.objects.link(sun)
    world = scene.world = bpy.data.worlds.new("World")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.34, 0.42, 0.55, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.8


def _things() -> list[Any]:
    """A ball, a ring, a block, more of each around them, and the ground last."""
    numbers = random.Random(4)
    colors = [(0.75, 0.32, 0.2), (0.2, 0.45, 0.6), (0.7, 0.6, 0.25), (0.35, 0.5, 0.25), (0.55, 0.3, 0.5)]
    makers = (
        lambda: bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=24, radius=0.9),
        lambda: bpy.ops.mesh.primitive_torus_add(major_radius=0.9, minor_radius=0.33, major_segments=64),
        lambda: bpy.ops.mesh.primitive_cube_add(size=1.5),
    )
    things = []
    for number in range(9):
        makers[number % 3]()
        thing = bpy.context.object
        ring, turn = (1.6, number * math.tau / 3) if number < 3 else (4.2, number * math.tau / 6 + 0.4)
        thing.location = (ring * math.cos(turn), ring * math.sin(turn), 0.9)
        thing.rotation_euler = tuple(numbers.uniform(-0.6, 0.6) for _ in range(3))
        if number % 3 != 2:
            bpy.ops.object.shade_smooth()
        thing.data.materials.append(_material(colors[number % 5], 2.5 + number % 3))
        things.append(thing)
    bpy.ops.mesh.primitive_plane_add(size=80)
    bpy.context.object.data.materials.append(_material((0.42, 0.4, 0.36), 0.7))
    return [*things, bpy.context.object]


def _material(color: tuple[float, float, float], scale: float) -> Any:
    """A painted surface: two shades of the colour in soft noise."""
    material = bpy.data.materials.new("Paint")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    place, noise, ramp = (
        nodes.new(kind) for kind in ("ShaderNodeTexCoord", "ShaderNodeTexNoise", "ShaderNodeValToRGB")
    )
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = scale, 3
    for element, shade in zip(ramp.color_ramp.elements, (0.45, 1.35), strict=True):
        element.color = (*(min(1, part * shade) for part in color), 1)
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.35, 0.65
    links.new(place.outputs["Object"], noise.inputs["Vector"])
    links.new(noise.outputs[0], ramp.inputs[0])
    surface = nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 0.7
    links.new(ramp.outputs[0], surface.inputs["Base Color"])
    return material


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])
