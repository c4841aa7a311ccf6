# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene of its own for each picture of a data set: the subject's own objects, linked, under other lights.

It is there while one picture is rendered and leaves nothing behind, so the artist's scene is never touched and nobody's
save, undo or crash meets it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
from mathutils import Matrix, Vector

from . import compat
from .outline import Points, outline
from .rendering import stamps
from .studio import SENSOR, Color, Light, Picture, frame

_AREA_DISTANCE = 5.0
"""Of a light that is near, in the subject's radii."""


@dataclass(frozen=True)
class Look:
    """How pictures are rendered. background: whether a colour lies behind the subject; else nothing does."""

    side: int
    samples: int
    engine: str
    background: bool


def subject_outline(scene: bpy.types.Scene, objects: Sequence[bpy.types.Object]) -> Points:
    """The outermost points of objects as they stand in a scene's frame: Nx3, N = 0 if there is nothing to see."""
    with _passing_scene(scene, objects) as passing:
        layer = passing.view_layers[0]
        layer.update()
        return outline(layer.depsgraph)


@contextmanager
def photographed(
    scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], points: Points, picture: Picture, look: Look
) -> Iterator[bpy.types.Scene]:
    """A scene that is ready to be rendered: objects of `scene`, whose outline `points` is, in their own places."""
    middle = (points.min(0) + points.max(0)) / 2
    radius = max(float(abs(points - middle).max()), 1e-6)
    with _passing_scene(scene, objects) as passing:
        _set_look(passing, look)
        passing.camera = _add_camera(passing, picture, points - middle, middle)
        for light in picture.lights:
            _add_light(passing, light, middle, radius)
        passing.world = _make_world(picture.ambient, picture.background)
        yield passing


@contextmanager
def _passing_scene(scene: bpy.types.Scene, objects: Sequence[bpy.types.Object]) -> Iterator[bpy.types.Scene]:
    """A new scene of these objects at the frame that `scene` is at; it and all that was added to it goes in the end."""
    passing = bpy.data.scenes.new("DeepDream Data Set")
    try:
        for item in objects:
            passing.collection.objects.link(item)
        passing.frame_current, passing.frame_subframe = scene.frame_current, scene.frame_subframe
        passing.display_settings.display_device = scene.display_settings.display_device
        for name in ("view_transform", "look", "exposure", "gamma"):
            setattr(passing.view_settings, name, getattr(scene.view_settings, name))
        if hasattr(scene, "cycles"):  # an add-on, which may be switched off
            passing.cycles.device = scene.cycles.device
        yield passing
    finally:
        added = [item for item in passing.collection.objects if item not in objects]
        bpy.data.batch_remove([*added, *(item.data for item in added), *filter(None, [passing.world]), passing])


def _set_look(passing: bpy.types.Scene, look: Look) -> None:
    render = passing.render
    render.engine = look.engine
    if hasattr(passing, "cycles"):
        passing.cycles.samples, passing.cycles.use_denoising = look.samples, False  # slower than more samples are
    passing.eevee.taa_render_samples = look.samples
    render.resolution_x = render.resolution_y = look.side
    render.resolution_percentage = 100
    render.film_transparent = not look.background
    render.use_compositing = render.use_sequencer = False
    render.dither_intensity = 0
    compat.set_format(render.image_settings, "PNG")
    render.image_settings.color_mode = "RGB" if look.background else "RGBA"
    for name in stamps(render):
        # a date or a render time in the file would give the same pixels other bytes every time
        setattr(render, name, False)


def _add_camera(passing: bpy.types.Scene, picture: Picture, points: Points, middle: Points) -> bpy.types.Object:
    framing = frame(picture, points)
    data = bpy.data.cameras.new("DeepDream Data Set")
    camera = bpy.data.objects.new("DeepDream Data Set", data)
    passing.collection.objects.link(camera)
    data.sensor_width, data.lens = SENSOR, picture.lens
    data.clip_start, data.clip_end = framing.near, framing.far
    data.shift_x, data.shift_y = framing.shift
    turned = Matrix(framing.axes.T.tolist()).to_4x4()
    camera.matrix_world = Matrix.Translation(Vector(framing.place + middle)) @ turned
    return camera


def _add_light(passing: bpy.types.Scene, light: Light, middle: Points, radius: float) -> None:
    data = bpy.data.lights.new("DeepDream Data Set", light.kind)
    lamp = bpy.data.objects.new("DeepDream Data Set", data)
    passing.collection.objects.link(lamp)
    data.color = light.color
    distance = _AREA_DISTANCE * radius
    if light.kind == "SUN":
        data.energy, data.angle = light.strength, light.size
    else:
        # a lamp of P watts that sends them out evenly on one side lights what it faces with P / (pi d^2)
        data.energy, data.size = light.strength * math.pi * distance**2, light.size * radius
    lamp.location = Vector(middle + distance * light.direction)
    lamp.rotation_euler = Vector(light.direction).to_track_quat("Z", "Y").to_euler()


def _make_world(ambient: Color, background: Color) -> bpy.types.World:
    """A world that shines with one colour and looks to the camera like another."""
    world = compat.new_world("DeepDream Data Set")
    tree = world.node_tree
    tree.nodes.clear()
    mix, path, output = (tree.nodes.new(f"ShaderNode{name}") for name in ("MixShader", "LightPath", "OutputWorld"))
    for socket, color in zip(mix.inputs[1:], (ambient, background), strict=True):
        shade = tree.nodes.new("ShaderNodeBackground")
        shade.inputs["Color"].default_value = (*color, 1)
        tree.links.new(shade.outputs[0], socket)
    tree.links.new(path.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(mix.outputs[0], output.inputs[0])
    return world
