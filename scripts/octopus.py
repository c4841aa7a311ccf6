# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the demo's second scene: an octopus of pale clay, without UVs, that turns round once before a camera.

python scripts/octopus.py OUT.blend [FRAMES]
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

CLAY, FLOOR = (0.42, 0.36, 0.33), (0.035, 0.032, 0.045)
LOOKS_AT = Vector((0.0, 0.1, 1.0))
BEADS = 70
"""Balls along an arm."""
ARMS = (  # length, how far it turns as it goes out, how far its tip rises
    (2.9, 2.2, 1.7),
    (3.2, -2.6, 0.4),
    (3.0, 2.9, 2.1),
    (3.3, -2.0, 0.3),
    (3.0, 2.5, 1.6),
    (3.2, -3.0, 0.5),
    (2.9, 2.3, 1.9),
    (3.1, -2.6, 0.9),
)
LIGHTS = (  # place, watts, size, colour
    ((-4.5, -5.0, 6.5), 520.0, 3.0, (1.0, 0.95, 0.9)),
    ((6.0, -3.5, 2.5), 170.0, 4.0, (0.75, 0.85, 1.0)),
    ((2.0, 6.5, 5.0), 270.0, 3.0, (1.0, 0.85, 0.95)),
)

Bead = tuple[Vector, float]
"""A ball's middle and radius."""


def main(out: Path, frames: int = 24) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, frames
    turning = put("Turntable", None)
    for part in (make_skin(), *make_eyes()):
        part.parent = turning
    turning.driver_add("rotation_euler", 2).driver.expression = f"(frame - 1) * {math.tau / frames} + 0.35"
    make_stage()
    configure(scene)
    bpy.data.objects["Octopus"].select_set(True)
    out.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(out.resolve()), compress=True)


def make_skin() -> Any:
    """One smooth surface over all beads."""
    found = [*mantle(), *(bead for number in range(len(ARMS)) for bead in arm(number))]
    points, faces = ball(3)
    mesh = bpy.data.meshes.new("Beads")
    mesh.from_pydata(
        np.concatenate([points * radius + place for place, radius in found]).tolist(),
        [],
        np.concatenate([faces + number * len(points) for number in range(len(found))]).tolist(),
    )
    beads = put("Beads", mesh)
    remesh = beads.modifiers.new("Remesh", "REMESH")
    remesh.mode, remesh.voxel_size, remesh.use_smooth_shade = "VOXEL", 0.06, True
    smooth = beads.modifiers.new("Smooth", "SMOOTH")
    smooth.iterations, smooth.factor = 12, 0.5
    skin = bpy.data.meshes.new_from_object(beads.evaluated_get(bpy.context.evaluated_depsgraph_get()))
    bpy.data.objects.remove(beads)
    skin.name = "Octopus"
    skin.materials.append(make_material("Clay", CLAY, 0.32))
    octopus = put("Octopus", skin)
    octopus.modifiers.new("Subdivision", "SUBSURF").render_levels = 1
    return octopus


def ball(subdivisions: int) -> tuple[Any, Any]:
    """Points and triangles of a sphere of radius 1."""
    import bmesh  # found once bpy is

    sphere = bmesh.new()
    bmesh.ops.create_icosphere(sphere, subdivisions=subdivisions, radius=1)
    points = np.array([corner.co for corner in sphere.verts])
    faces = np.array([[corner.index for corner in face.verts] for face in sphere.faces])
    sphere.free()
    return points, faces


def mantle() -> list[Bead]:
    """The head and the bag behind it, with brows for the eyes."""
    beads = []
    for along in np.linspace(0, 1, 40):
        swell = math.sin(math.pi * (0.2 + 0.72 * along)) ** 0.8
        beads.append((Vector((0, 0.1 * along + 0.75 * along**2, 1.0 + 1.45 * along)), 0.16 + 0.72 * swell))
    brows = [(Vector((0.5 * side, -0.44, 1.42)), 0.3) for side in (-1, 1)]
    return beads + brows


def arm(number: int) -> list[Bead]:
    """Down from the head, out over the floor, round and up again."""
    length, turn, rise = ARMS[number]
    heading = math.tau * (number + 0.5) / len(ARMS)
    place = Vector((0.42 * math.cos(heading), 0.42 * math.sin(heading), 0.9))
    beads = []
    for along in np.linspace(0, 1, BEADS):
        radius = 0.35 * (1 - along) ** 0.75 + 0.06
        place.z = max(place.z, radius)
        beads.append((place.copy(), radius))
        slope = rise * max(0.0, along - 0.5) * 2.4 - 1.2 * math.exp(-((along / 0.2) ** 2))
        way = heading + turn * max(0.0, along - 0.25) ** 1.5 * 2
        flat = math.cos(slope)
        place = place + length / BEADS * Vector((math.cos(way) * flat, math.sin(way) * flat, math.sin(slope)))
    return beads


def make_eyes() -> list[Any]:
    """Dark and wet; they do not dream."""
    eyes = []
    for side in (-1, 1):
        points, faces = ball(4)
        mesh = bpy.data.meshes.new("Eye")
        mesh.from_pydata((points * 0.17).tolist(), [], faces.tolist())
        mesh.shade_smooth()
        mesh.materials.append(bpy.data.materials.get("Eye") or make_material("Eye", (0.012, 0.01, 0.012), 0.06))
        eye = put("Eye", mesh)
        eye.location = (0.56 * side, -0.6, 1.46)
        eyes.append(eye)
    return eyes


def make_stage() -> None:
    """Floor, lights, a dim world and the camera."""
    floor, far = bpy.data.meshes.new("Floor"), 300.0
    floor.from_pydata([(-far, -far, 0), (far, -far, 0), (far, far, 0), (-far, far, 0)], [], [(0, 1, 2, 3)])
    floor.materials.append(make_material("Floor", FLOOR, 0.8))
    put("Floor", floor)
    for place, watts, size, color in LIGHTS:
        lamp = bpy.data.lights.new("Light", "AREA")
        lamp.energy, lamp.size, lamp.color = watts, size, color
        aim(put("Light", lamp), Vector(place))
    world = bpy.context.scene.world = bpy.data.worlds.new("World")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (*FLOOR, 1)
    lens = bpy.data.cameras.new("Camera")
    lens.lens = 67
    aim(put("Camera", lens), Vector((0, -10.2, 4.4)))
    bpy.context.scene.camera = bpy.data.objects["Camera"]


def configure(scene: Any) -> None:
    scene.render.engine = "CYCLES"
    import _cycles  # found once bpy is

    cycles = scene.cycles
    cycles.device, cycles.max_bounces, cycles.use_adaptive_sampling = "CPU", 2, False
    # not every build has the denoiser
    cycles.use_denoising = _cycles.with_openimagedenoise
    cycles.samples = 5 if cycles.use_denoising else 16
    cycles.denoising_prefilter = "FAST"
    if hasattr(cycles, "denoising_quality"):
        cycles.denoising_quality = "FAST"
    scene.render.resolution_x = scene.render.resolution_y = 360
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"


def make_material(name: str, color: tuple[float, float, float], roughness: float) -> Any:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1)
    shader.inputs["Roughness"].default_value = roughness
    return material


def put(name: str, data: Any) -> Any:
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def aim(thing: Any, place: Vector) -> None:
    thing.location = place
    thing.rotation_euler = (LOOKS_AT - place).to_track_quat("-Z", "Y").to_euler()


if __name__ == "__main__":
    out, *frames = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(Path(out), *map(int, frames))
