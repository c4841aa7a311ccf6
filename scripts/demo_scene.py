# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the demo shot: a pagoda on a misty lake at dawn, twelve frames that loop.

python scripts/demo_scene.py OUT.blend              with the bpy wheel
blender -b -P scripts/demo_scene.py -- OUT.blend    with Blender itself
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector, noise

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender's -P does not do it
from demo_materials import EYE, SUN, make_air, make_materials, make_world

FRAMES = 12
TURN = f"((frame - 1) * {math.tau / FRAMES})"  # in drivers: once round in a loop, so that frame 13 is frame 1
PAGODA = np.array((6.0, 8.0, 1.75))
UP = np.array((0.0, 0.0, 1.0))
Place = tuple[float, float]
Height = Callable[[float, float], float]


class Shape:
    """Points and quads, gathered until they become one object."""

    def __init__(self) -> None:
        self.points: list[Any] = []
        self.quads: list[Any] = []
        self.count = 0

    def add(self, points: Any, quads: Any) -> None:
        self.points.append(np.asarray(points, dtype=float).reshape(-1, 3))
        self.quads.append(np.asarray(quads) + self.count)
        self.count += len(self.points[-1])

    def sheet(self, points: Any, closed: bool = False) -> None:
        """A grid of points; closed joins the last column to the first."""
        index = np.arange(points.size // 3).reshape(points.shape[:2])
        index = np.concatenate([index, index[:, :1]], axis=1) if closed else index
        quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
        self.add(points, quads.reshape(-1, 4))

    def tube(self, path: Any, radii: Any, sides: int = 6) -> None:
        """A tube along a path; one radius, or one for every point."""
        along = np.gradient(np.asarray(path, dtype=float), axis=0)
        right = np.cross(along, (0.31, 0.94, 0.12))
        up = np.cross(right, along)
        right, up = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (right, up))
        angle = np.linspace(0, math.tau, sides, endpoint=False)[None, :, None]
        ring = np.cos(angle) * right[:, None] + np.sin(angle) * up[:, None]
        self.sheet(np.asarray(path)[:, None] + ring * np.reshape(radii, (-1, 1, 1)), closed=True)

    def lathe(self, profile: Any, centre: Any, sides: int, bend: Callable[[Any, Any], Any] | None = None) -> None:
        """Turn a profile of (radius, height); bend(angle, step 0..1): a factor for the one, something for the other."""
        angle = np.linspace(0, math.tau, sides, endpoint=False)[None, :] + math.pi / 8
        wider, higher = bend(angle, np.linspace(0, 1, len(profile))[:, None]) if bend else (1.0, 0.0)
        radius, height = (np.asarray(profile, dtype=float)[:, i : i + 1] + 0 * angle for i in (0, 1))
        points = np.stack([radius * wider * np.cos(angle), radius * wider * np.sin(angle), height + higher], axis=-1)
        self.sheet(points + np.asarray(centre), closed=True)

    def leaves(self, centres: Any, size: float, rng: Any) -> None:
        """A pointed leaf at every centre, each turned its own way."""
        long, other = rng.normal(size=(2, len(centres), 3))
        wide = np.cross(long, other)
        long, wide = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (long, wide))
        reach = size * rng.uniform(0.6, 1.3, (len(centres), 1))
        corners = [centres + side * reach for side in (-long, 0.42 * wide, long, -0.42 * wide)]
        self.add(np.stack(corners, axis=1), np.arange(4 * len(centres)).reshape(-1, 4))

    def mesh(self, name: str, material: str, smooth: bool = True) -> Any:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(np.concatenate(self.points).tolist(), [], np.concatenate(self.quads).tolist())
        mesh.polygons.foreach_set("use_smooth", np.full(len(mesh.polygons), smooth))
        mesh.materials.append(bpy.data.materials[material])
        return mesh

    def build(self, name: str, material: str, smooth: bool = True) -> Any:
        return put(name, self.mesh(name, material, smooth))


def put(name: str, data: Any, **channels: Any) -> Any:
    """An object in the scene. A channel is three values; one that is text is a driver, so the motion never ends."""
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    for channel, values in channels.items():
        for axis, value in enumerate(values):
            if isinstance(value, str):
                thing.driver_add(channel, axis).driver.expression = value
            else:
                getattr(thing, channel)[axis] = value
    return thing


def make_mountains() -> None:
    """Ranges one behind the other, lowest where the sun comes through."""
    for y, half, tall, grain in np.array(
        ((52, 60, 9, 60), (105, 100, 30, 34), (190, 150, 62, 21), (330, 260, 115, 12.5))
    ):
        xs, ys = np.meshgrid(np.linspace(-half, half, 190), np.linspace(0.78 * y, 1.22 * y, 50))
        places = np.stack([xs, ys, np.full_like(xs, 1000 * half / grain)], axis=-1) * grain / 1000
        rough = [noise.ridged_multi_fractal(place, 0.9, 2.1, 6, 0.9, 1.8) for place in places.reshape(-1, 3)]
        swell = np.cos((ys - y) / (0.44 * y) * math.pi).clip(0) ** 0.8
        valley = 1.0 - 0.75 * np.exp(-(((xs - SUN.x / SUN.y * (y + 26)) / (0.16 * y)) ** 2))
        heights = tall * swell * valley * np.reshape(rough, xs.shape) / 2.6 - 0.4
        hills = Shape()
        hills.sheet(np.stack([xs, ys, heights], axis=-1))
        hills.build("Range", "Far land")


def make_mound(centre: Place, radius: Place, top: float) -> Height:
    """A rocky island with a flat top; returns its height at a place."""

    def height(x: float, y: float) -> float:
        far = math.hypot((x - centre[0]) / radius[0], (y - centre[1]) / radius[1])
        edge = far + 0.22 * noise.fractal((x * 0.35, y * 0.35, top), 0.8, 2.0, 4)
        bumps = 0.25 * noise.fractal((x, y, 4.0), 0.7, 2.0, 4) * min(1.0, far)
        return max(-0.6, top * (1.0 - 1.9 * max(0.0, edge - 0.45)) + bumps)

    xs, ys = (np.linspace(-1.35 * r, 1.35 * r, 90) + c for r, c in zip(radius, centre, strict=True))
    island = Shape()
    island.sheet(np.array([[(x, y, height(x, y)) for x in xs] for y in ys]))
    island.build("Island", "Land")
    return height


def around(turn: float) -> Any:
    """The level direction of an angle."""
    return np.array((math.cos(turn), math.sin(turn), 0.0))


def roof_bend(angle: Any, step: Any) -> tuple[Any, Any]:
    """Eight corners for a round roof, swept up towards the eaves."""
    corner = np.abs((angle - math.pi / 8) % (math.pi / 4) / (math.pi / 8) - 1.0)  # 1 at a corner, 0 between two
    return 1.0 + 0.09 * corner**2, 0.5 * corner**3 * step**3


def make_pagoda() -> None:
    """Five storeys with curved eight-cornered roofs, lit windows and a golden spire."""
    roofs, wood, walls, windows, gold = (Shape() for _ in range(5))
    walls.lathe([(3.5, -1.2), (3.5, 0), (3.2, 0.05), (3.2, 0.3), (0, 0.3)], PAGODA, 8)
    z = 0.3
    for storey in range(5):
        last, r, tall = storey == 4, 2.15 - 0.29 * storey, 1.36 - 0.09 * storey
        rise, inner = (2.3, 0.06) if last else (1.35, r - 0.35)
        base = PAGODA + z * UP
        walls.lathe([(r, 0), (r, tall)], base, 8)
        wood.lathe([(r + 0.45, 0), (r + 0.5, 0.1), (r + 0.5, 0.38), (r + 0.42, 0.38), (r + 0.42, 0)], base, 8)
        eaves = [(inner + (r + 1.2 - inner) * t, tall + rise * (1 - t) ** 1.7 - 0.1) for t in np.linspace(0, 1, 10)]
        roofs.lathe([*eaves, (r + 1.15, tall - 0.26), (r + 0.1, tall + 0.05)], base, 64, roof_bend)
        for turn in np.arange(8) * math.tau / 8:
            face, side = around(turn), around(turn + math.tau / 4)
            corner = around(turn + math.tau / 16)
            wood.tube([base + corner * (r + 0.28), base + corner * (r + 0.28) + tall * UP], 0.09)
            glass = base + face * r * 0.95 + 0.5 * tall * UP
            bars = [[glass + r * u * side + tall * v * UP for v in (-0.26, 0.26)] for u in (-0.22, -0.07, 0.07, 0.22)]
            windows.sheet(np.array(bars))
            for bar in bars:
                wood.tube(bar, 0.035)
            ridge = [base + corner * x * 1.09 + (h + 0.5 * (k / 11) ** 3 + 0.04) * UP for k, (x, h) in enumerate(eaves)]
            gold.tube([*ridge[2:], ridge[-1] + corner * 0.22 + 0.24 * UP], [0.05] * 8 + [0.02])
        z += tall + rise * (0.95 if last else 0.66)
    spire = [(0.3, 0), (0.12, 0.3), (0.28, 0.5), (0.08, 0.7), (0.2, 0.9), (0.05, 1.1), (0, 2)]
    gold.lathe(spire, PAGODA + z * UP, 12)
    walls.build("Walls", "Plaster", smooth=False)
    for shape, material in ((roofs, "Tiles"), (wood, "Lacquer"), (windows, "Window"), (gold, "Gold")):
        shape.build(material, material)


def make_bridge() -> None:
    """A moon bridge: with its reflection it closes to a circle."""
    deck, rails, t = Shape(), Shape(), np.linspace(0, 1, 25)
    top = 0.9 + 2.0 * np.sin(t * math.pi)
    under = np.where(np.abs(t - 0.5) < 0.36, 2.2 * np.sqrt(np.maximum(0, 1 - ((t - 0.5) / 0.36) ** 2)), -0.5)
    outline = [(5.1, under), (5.1, top), (6.9, top), (6.9, under), (5.1, under)]
    deck.sheet(np.stack([np.stack([11 + 7.2 * t, y + 0 * t, z], axis=-1) for y, z in outline], axis=1))
    for y in (5.2, 6.8):
        arc = np.stack([11 + 7.2 * t, y + 0 * t, top], axis=-1)
        rails.tube(arc + 0.75 * UP, 0.08)
        for post in arc[::2]:
            rails.tube([post, post + 0.95 * UP], 0.07)
    deck.build("Bridge", "Stone", smooth=False)
    rails.build("Bridge rails", "Lacquer")


def grow(wood: Shape, start: Any, way: Any, length: float, level: int, rng: Any) -> list[Any]:
    """A crooked branch and its children; returns where leaves belong."""
    path = [np.asarray(start)]
    for _ in range(5):
        way = way + rng.normal(0, 0.16, 3) + 0.03 * UP
        way = way / np.linalg.norm(way)
        path.append(path[-1] + way * length / 5)
    wood.tube(path, np.linspace(1.0, 0.55, 6) * length * (0.04 + 0.018 * level), 7)
    tips = path[2:] if level <= 1 else []
    for child in range((0, 4, 3, 3)[level]):
        turn = rng.uniform(0, math.tau)
        side = around(turn) + rng.uniform(-0.15, 0.5) * UP
        root = path[-1] if child < 2 else path[3]
        tips += grow(wood, root, (way + side) * 0.75, length * rng.uniform(0.62, 0.8), level - 1, rng)
    return tips


def make_tree(kind: str, place: Place, ground: Height, size: float, seed: int, litter: int) -> None:
    """Crooked wood, leaves in flat clouds about its twigs, and some that have fallen."""
    rng, wood, crown = np.random.default_rng(seed), Shape(), Shape()
    foot = np.array((*place, ground(*place) - 0.2))
    tips = grow(wood, foot, np.array((0.2, 0.1, 1.0)), size, 3, rng)
    centres = np.repeat(np.array(tips), 26, axis=0)
    crown.leaves(centres + rng.normal(0, 1, centres.shape) * size * (0.13, 0.13, 0.06), 0.12, rng)
    fallen = foot + rng.normal(0, 1, (litter, 3)) * (1.9, 1.5, 0)
    fallen[:, 2] = [max(ground(x, y), 0.0) + 0.04 for x, y, _ in fallen]
    crown.leaves(fallen, 0.12, rng)
    wood.build(kind + " wood", "Bark")
    crown.build(kind + " leaves", kind, smooth=False)


def make_firs(islet: Height, bank: Height) -> None:
    """Firs on the islands: three meshes, many objects."""
    rng, meshes = np.random.default_rng(8), []
    for _ in range(3):
        fir = Shape()
        for z in np.linspace(0.4, 3.0, 9):
            rags, r = rng.uniform(-0.14, 0.14, 18), (3.6 - z) * 0.36
            cone = [(0.0, z + 0.55), (r * 0.55, z + 0.12), (r, z - 0.16)]
            fir.lathe(cone, (0, 0, 0), 18, lambda _, step, rags=rags: (1.0, rags[None, :] * step))
        meshes.append(fir.mesh("Fir", "Needles"))
    for height, count, low, high in ((islet, 40, (1.0, 4.0), (12.5, 13.0)), (bank, 6, (-13.0, -9.0), (-8.5, -5.5))):
        for x, y in rng.uniform(low, high, (count, 2)):
            foot, size = (x, y, height(x, y)), [rng.uniform(0.6, 1.25)] * 3
            if foot[2] > 0.3 and math.hypot(x - PAGODA[0], y - PAGODA[1]) > 4.0:
                put("Fir", meshes[int(x * 50) % 3], location=foot, scale=size)


def make_lotus(rng: Any) -> None:
    """Lotus in the near water: leaves like bowls, and flowers of three rings of petals."""
    leaves, petals = Shape(), Shape()
    for x, y in rng.uniform((-1.0, -10.3), (8.5, -4.5), (90, 2)):
        if x < 2.2 + 0.9 * math.sin(y * 1.3) + (y + 10) * 0.75:
            continue
        r, rim = rng.uniform(0.3, 0.72), rng.uniform(0, math.tau)
        bowl, middle = [(0, 0), (r * 0.5, 0.02), (r, 0.1)], (x, y, rng.uniform(0.02, 0.3))
        leaves.lathe(bowl, middle, 18, lambda a, t, rim=rim: (1.0, 0.07 * np.sin(3 * a + rim) * t**2))
        for petal in range(21 if rng.random() < 0.3 else 0):
            turn, lean, heart = petal * 2.4, 0.35 + petal * 0.036, np.array((x + 0.3, y, 0.5))
            out, side = around(turn), 0.12 * around(turn + math.tau / 4)
            way = 0.45 * (out * math.sin(lean) + UP * math.cos(lean))
            middle = heart + 0.6 * way
            petals.add([heart, middle + side, heart + way, middle - side], [(0, 1, 2, 3)])
    leaves.build("Lotus leaves", "Lotus leaf")
    petals.build("Lotus", "Petal", smooth=False)


def make_reeds(height: Height, rng: Any) -> None:
    """Grass where the bank meets the water, bowing in the wind."""
    reeds = Shape()
    for x, y in rng.uniform((-12.0, -13.0), (-4.0, -5.0), (1500, 2)):
        if -0.5 < height(x, y) < 0.75:
            bow, tall = rng.normal((0.12, 0, 0), 0.2), rng.uniform(0.3, 1.0)
            stem = [(x, y, max(height(x, y), 0.0)) + (t * UP + t * t * bow) * tall for t in (0, 0.5, 1.0)]
            reeds.tube(stem, (0.03, 0.025, 0.004), 3)
    reeds.build("Reeds", "Reed")


def make_boat() -> None:
    """A ferry with its lantern, rocking on the path of light."""
    hull, roof, lamp, man = (Shape() for _ in range(4))
    long, across = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(-1, 1, 9), indexing="ij")
    width = 0.55 * np.sqrt(1 - long**2) + 0.02
    hull.sheet(np.stack([2 * long, width * across, 0.55 * long**4 + 0.45 * np.abs(across) ** 2.5 - 0.15], axis=-1))
    long, arch = np.meshgrid(np.linspace(-0.9, 0.5, 5), np.linspace(0, math.pi, 9), indexing="ij")
    roof.sheet(np.stack([long, 0.55 * np.cos(arch), 0.3 + 0.75 * np.sin(arch)], axis=-1))
    hull.tube([(1.45, 0, 0.1), (1.5, 0, 1.5), (1.62, 0, 1.75), (1.75, 0, 1.62)], 0.035)
    hull.tube([(-1.1, 0.5, 1.5), (-1.6, 0.9, -0.3)], 0.035)
    lamp.lathe([(0, 1.0), (0.2, 1.1), (0.24, 1.35), (0.15, 1.6), (0, 1.62)], (1.75, 0, 0), 10)
    coat_and_hat = [(0.3, 0.2), (0.26, 0.7), (0.2, 1.2), (0.08, 1.35), (0.14, 1.5), (0.42, 1.48), (0, 1.78)]
    man.lathe(coat_and_hat, (-1.25, 0, 0), 12)
    where = (f"-3.6 + 0.35 * cos{TURN}", f"-4 + 0.2 * cos{TURN}", f"0.04 + 0.06 * sin{TURN}")
    boat = put("Boat", None, location=where, rotation_euler=(f"0.07 * cos{TURN}", f"0.04 * sin{TURN}", 0.5))
    for shape, material in ((hull, "Hull"), (roof, "Awning"), (lamp, "Lantern"), (man, "Straw")):
        shape.build("Boat " + material.lower(), material).parent = boat


def make_cranes(count: int = 9) -> None:
    """Cranes circling the spire: in one loop each takes the place of the next."""
    crane = Shape()
    crane.tube([(x, 0, 0) for x in (-0.75, -0.35, 0.2, 0.6, 0.95)], (0.02, 0.12, 0.13, 0.05, 0.02))
    for side in (-1, 1):
        front = [(0.3, 0, 0.02), (0.42, 0.65 * side, 0.3), (0.1, 1.35 * side, 0.42)]
        crane.sheet(np.array([front, [(-0.25, 0, 0.02), (-0.15, 0.65 * side, 0.3), (-0.1, 1.3 * side, 0.42)]]))
    mesh = crane.mesh("Crane", "Feathers")
    for bird in range(count):
        a = f"(({TURN} + {bird * math.tau:.5f}) / {count})"
        reach, rise = f"(7.5 + 1.6 * sin(3 * {a}))", f"11.6 + 1.5 * sin(2 * {a} + 0.8)"
        where = (f"{PAGODA[0]} + {reach} * cos{a}", f"{PAGODA[1]} + {reach} * sin{a}", rise)
        beat = f"0.3 + 1.1 * sin(13 * {a})"  # the wings are a shallow V: to scale it is to flap
        put("Crane", mesh, location=where, rotation_euler=(-0.25, 0, f"{a} + {math.pi / 2}"), scale=(1, 1, beat))


def make_drifting(rng: Any) -> None:
    """Lanterns rocking on the water, and leaves falling from the maple."""
    lamp, leaf = Shape(), Shape()
    lamp.lathe([(0, 0.02), (0.2, 0.02), (0.24, 0.2), (0.2, 0.42), (0, 0.42)], (0, 0, 0), 8)
    leaf.leaves(np.zeros((1, 3)), 0.11, rng)
    lamp_mesh, leaf_mesh = lamp.mesh("Lantern", "Lantern"), leaf.mesh("Falling leaf", "Maple")
    xs, ys = (-4.2, 0.6, -0.4, 2, 1.2, -1, -3, 2.6, -5.5, 0.2), (-8.2, -8.6, -6, -5, -1.5, 2, 7, 1.5, 13, 11)
    for number, (x, y) in enumerate(zip(xs, ys, strict=True)):
        a = f"({TURN} + {number * 1.7:.2f})"
        where = (f"{x} + 0.12 * cos{a}", f"{y} + 0.12 * sin{a}", f"0.03 * sin{a}")
        put("Lantern", lamp_mesh, location=where, rotation_euler=(f"0.08 * sin{a}", f"0.08 * cos{a}", 0))
    for number, (x, y) in enumerate(rng.uniform((-7.5, -13.0), (-1.2, -7.0), (9, 2))):
        for slot in range(5):  # in one loop each falls to the place of the one below
            t = f"fmod({slot} + (frame - 1) / {FRAMES}, 5)"
            where = (f"{x:.3f} + 0.3 * sin(2 * {t} + {number})", y, f"{5.6 + 0.06 * number} - {t} * 1.2")
            turn, size = (f"1.9 * {t} + {number}", f"{t} + {number}", 0), [f"min(1, 3 * {t})"] * 3
            put("Falling leaf", leaf_mesh, location=where, rotation_euler=turn, scale=size)


def make_camera_and_light() -> None:
    """A camera swaying round a loop, and a warm key against the blue of the sky."""
    data = bpy.data.cameras.new("Camera")
    data.lens, data.clip_end = 33.5, 2000.0
    where = (f"{EYE.x} + 0.7 * sin{TURN}", f"{EYE.y} + 0.5 * cos{TURN}", f"{EYE.z} + 0.25 * cos{TURN}")
    camera = bpy.context.scene.camera = put("Camera", data, location=where)
    follow = camera.constraints.new("TRACK_TO")
    follow.target = put("Aim", None, location=(0.8, 10, 5.65))
    follow.track_axis, follow.up_axis = "TRACK_NEGATIVE_Z", "UP_Y"
    for name, energy, toward in (("Key", 4.3, (0.75, 0.5, -0.36)), ("Rim", 1.2, (0.3, -1, -0.35))):
        lamp = bpy.data.lights.new(name, "SUN")
        lamp.color, lamp.energy, lamp.angle = (1.0, 0.64, 0.39), energy, 0.15
        sun = put(name, lamp, rotation_euler=Vector(toward).to_track_quat("-Z", "Y").to_euler())
        sun.visible_glossy = False  # its glitter on the ripples would be grain


def set_render() -> None:
    """Twelve small frames, few bounces, one seed, and the view that the network sees."""
    scene, render, cycles = bpy.context.scene, bpy.context.scene.render, bpy.context.scene.cycles
    render.engine, render.use_motion_blur = "CYCLES", False
    render.resolution_x, render.resolution_y, render.resolution_percentage = 480, 270, 100
    render.fps, scene.frame_start, scene.frame_end = 24, 1, FRAMES
    cycles.device, cycles.seed, cycles.use_denoising = "CPU", 1, False
    cycles.samples, cycles.adaptive_min_samples = 64, 24
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.035
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 1, 2
    cycles.transmission_bounces = cycles.volume_bounces = 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 4.0, 1.0
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"


def build_scene() -> None:
    """Fill the current, empty scene."""
    make_air()
    make_world()
    make_materials()
    lake = Shape()
    lake.sheet(np.array([[(x, y, 0.0) for x in (-600, 600)] for y in (-60, 900)]))
    lake.build("Lake", "Lake")
    make_mountains()
    islet, bank = make_mound((6.5, 8.0), (6.6, 5.2), 1.9), make_mound((-10.2, -9.5), (4.8, 4.4), 1.7)
    make_pagoda()
    make_bridge()
    make_firs(islet, bank)
    make_tree("Maple", (-7.6, -9.6), bank, 3.5, 5, 900)
    make_tree("Cherry", (2.0, 5.6), islet, 1.5, 3, 60)
    make_lotus(np.random.default_rng(11))
    make_reeds(bank, np.random.default_rng(21))
    make_boat()
    make_cranes()
    make_drifting(np.random.default_rng(4))
    make_camera_and_light()
    set_render()


def build(path: Path) -> None:
    """Build the shot in a fresh, empty file and save it."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    build_scene()
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(path).resolve()))


if __name__ == "__main__":
    build(Path((sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])[0]))
