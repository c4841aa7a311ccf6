# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours of the demo shot: its sky, its air and its materials.

What a network sees is clipped to 0..1, so the light stays in the mid-tones. There is no denoiser in many builds, so the
air is a shader that fades everything into the sky instead of a volume, and nothing needs more than a few bounces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

SUN = Vector((-0.075, 1.0, 0.125)).normalized()  # where the sky glows; the key light comes from further left, in front
EYE = Vector((0.0, -26.0, 3.2))

SKY_AWAY = "0:adaac8 .1:9e9bc5 .25:6c86bc .6:3f69a2"  # height: colour
SKY_AT_SUN = "0:fdc595 .12:f6b399 .25:bc9eb5 .6:657cad"
PAINTS: dict[str, tuple[str, float, float]] = {  # colours; scale of the noise between them, 0: by leaf; glow
    "Awning": ("daad76 edc890", 3.0, 0.08),
    "Bark": ("553f3f 816559", 3.0, 0.0),
    "Cherry": ("e195a2 f3bcbc", 0.0, 0.0),
    "Feathers": ("ede7e5 f9f3ef", 1.0, 0.3),
    "Gold": ("edbf69 edbf69", 1.0, 0.12),
    "Hull": ("81553f aa7350", 2.0, 0.0),
    "Lacquer": ("ad3f30 cb5d3f", 1.5, 0.0),
    "Lantern": ("e7893f edaa61", 0.4, 0.8),
    "Lotus leaf": ("306f61 50956f 81aa69", 0.0, 0.0),
    "Maple": ("c43f3f e76f3f f3a259", 0.0, 0.0),
    "Needles": ("27504b 3f6c55 597c50", 0.8, 0.0),
    "Petal": ("ed99b3 f9cbd3", 0.0, 0.08),
    "Plaster": ("ceb199 e5ceb6", 1.2, 0.0),
    "Reed": ("507c50 95a259 c4ad6f", 0.0, 0.0),
    "Stone": ("a29595 c4b5ad", 1.5, 0.0),
    "Straw": ("a07c6f cbaa7c", 1.0, 0.0),
    "Tiles": ("307c81 459e99 61b3a2", 2.5, 0.0),
    "Window": ("da8b3f edad59", 0.0, 0.8),
}


def rgba(code: str) -> tuple[float, ...]:
    """The scene-linear colour of a web colour."""
    encoded = [int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    return (*(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded), 1.0)


class Graph:
    """A node tree written like a formula: inputs are sockets, numbers or web colours."""

    def __init__(self, owner: Any) -> None:
        if getattr(owner, "node_tree", owner) is None:  # before Blender 5.0
            owner.use_nodes = True
        self.tree = getattr(owner, "node_tree", owner)
        self.tree.nodes.clear()

    def node(self, kind: str, *inputs: Any, **settings: Any) -> Any:
        """A node with its first inputs filled in order (None: left alone) and its properties set."""
        node = self.tree.nodes.new(kind if kind.startswith("Node") else "ShaderNode" + kind)
        for key, value in settings.items():
            setattr(node, key, value)
        for socket, value in zip(node.inputs, inputs, strict=False):
            self.feed(socket, value)
        return node

    def feed(self, socket: Any, value: Any) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif value is not None:
            socket.default_value = rgba(value) if isinstance(value, str) else value

    def math(self, operation: str, *inputs: Any) -> Any:
        return self.node("Math", *inputs, operation=operation).outputs[0]

    def vector(self, operation: str, *inputs: Any) -> Any:
        return self.node("VectorMath", *inputs, operation=operation).outputs[operation in {"DOT_PRODUCT", "LENGTH"}]

    def height(self, vector: Any) -> Any:
        return self.node("SeparateXYZ", vector).outputs[2]

    def noise(self, place: Any, scale: float, detail: float = 3.0) -> Any:
        return self.node("TexNoise", place, None, scale, detail).outputs[0]

    def smooth(self, value: Any, low: float, high: float, top: float = 1.0) -> Any:
        return self.node("MapRange", value, low, high, 0.0, top, interpolation_type="SMOOTHSTEP").outputs[0]

    def mix(self, factor: Any, first: Any, second: Any) -> Any:
        return self.node("Mix", factor, *[None] * 5, first, second, data_type="RGBA").outputs[2]

    def ramp(self, factor: Any, stops: str) -> Any:
        """A colour ramp through stops, written "position:colour position:colour"."""
        node, pairs = self.node("ValToRGB", factor), [stop.split(":") for stop in stops.split()]
        for _ in pairs[2:]:
            node.color_ramp.elements.new(0.5)
        for element, (position, colour) in zip(node.color_ramp.elements, pairs, strict=True):
            element.position, element.color = float(position), rgba(colour)
        return node.outputs[0]

    def group(self, name: str, *inputs: Any) -> Any:
        return self.node("Group", *inputs, node_tree=bpy.data.node_groups[name]).outputs

    def seen(self, shader: Any, plain: Any) -> Any:
        """A shader where it is looked at; a plain one where it only gives light: quicker, and less grain."""
        return self.node("MixShader", self.node("LightPath").outputs["Is Diffuse Ray"], shader, plain).outputs[0]


def new_group(name: str, *sockets: tuple[str, str, str]) -> Graph:
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    for label, way, kind in sockets:
        tree.interface.new_socket(label, in_out=way, socket_type="NodeSocket" + kind)
    return Graph(tree)


def make_air() -> None:
    """Two groups: the sky by direction, and how much air lies before a point and of what colour."""
    g = new_group("Sky", ("Direction", "INPUT", "Vector"), ("Color", "OUTPUT", "Color"))
    direction = g.node("NodeGroupInput").outputs[0]
    warm = g.math("POWER", g.math("MAXIMUM", g.vector("DOT_PRODUCT", direction, SUN), 0.0), 9.0)
    up = g.height(direction)
    g.node("NodeGroupOutput", g.mix(warm, g.ramp(up, SKY_AWAY), g.ramp(up, SKY_AT_SUN)))

    g = new_group("Air", ("Amount", "OUTPUT", "Float"), ("Color", "OUTPUT", "Color"))
    place = g.node("NewGeometry").outputs["Position"]
    ray = g.vector("SUBTRACT", place, EYE)
    mist = g.math("MULTIPLY_ADD", g.math("EXPONENT", g.math("MULTIPLY", g.height(place), -0.25)), 2.0, 1.0)
    depth = g.math("MULTIPLY", g.math("MULTIPLY", g.vector("LENGTH", ray), mist), -0.0011)
    flat = g.vector("NORMALIZE", g.vector("MULTIPLY", ray, (1.0, 1.0, 0.45)))  # mist has the colour of the low sky
    g.node("NodeGroupOutput", g.math("SUBTRACT", 1.0, g.math("EXPONENT", depth)), g.group("Sky", flat)[0])


def make_world() -> None:
    """The sky with its sun and thin, stretched clouds."""
    world = bpy.context.scene.world = bpy.data.worlds.new("Dawn")
    g = Graph(world)
    direction = g.node("TexCoord").outputs["Generated"]
    sky = g.group("Sky", direction)[0]
    facing = g.vector("DOT_PRODUCT", direction, SUN)
    clouds = g.smooth(g.noise(g.vector("MULTIPLY", direction, (1.6, 1.6, 9.0)), 2.3, 5.0), 0.48, 0.72, 0.75)
    lit = g.mix(g.math("POWER", g.math("MAXIMUM", facing, 0.0), 5.0), "bcadce", "ffcead")
    halo, disc = g.smooth(facing, 0.984, 1.0, 0.6), g.smooth(facing, 0.9991, 0.9994)
    air = g.mix(halo, g.mix(clouds, sky, lit), "ffc590")
    colour = g.mix(disc, air, "ffedbc")
    plain = g.node("Background", sky).outputs[0]
    g.node("OutputWorld", g.seen(g.node("Background", colour).outputs[0], plain))
    world.cycles.sampling_method = "NONE"  # a smooth sky: light found by bounces alone is the least grainy


def add_material(name: str, make: Callable[[Graph, Any], Any]) -> None:
    """A material: what make(graph, position) returns, with the air before it."""
    material = bpy.data.materials.new(name)
    g = Graph(material)
    shader = make(g, g.node("NewGeometry").outputs["Position"])
    amount, colour = g.group("Air")
    haze = g.node("Emission", colour).outputs[0]
    plain = g.node("Emission", "5d5965").outputs[0]
    g.node("OutputMaterial", g.seen(g.node("MixShader", amount, shader, haze).outputs[0], plain))
    material.cycles.emission_sampling = "NONE"  # haze and lanterns are seen, not sampled as lamps: no fireflies


def paint(g: Graph, place: Any, colours: str, scale: float, glow: float) -> Any:
    """A surface between some colours: by noise, or (scale 0) another one for every leaf or part."""
    factor = g.noise(place, scale) if scale else g.node("NewGeometry").outputs["Random Per Island"]
    codes = colours.split()
    spread = np.linspace(0.32 if scale else 0.0, 0.68 if scale else 1.0, len(codes))
    tint = g.ramp(factor, " ".join(f"{x}:{code}" for x, code in zip(spread, codes, strict=True)))
    node = g.node("BsdfPrincipled", tint)
    g.feed(node.inputs["Emission Color"], tint)
    for key, value in (("Emission Strength", glow), ("Roughness", 0.6), ("Specular IOR Level", 0.25)):
        node.inputs[key].default_value = value
    return node.outputs[0]


def land(g: Graph, place: Any, scale: float, greens: str) -> Any:
    """Rock where it is steep, moss and grass where it is flat."""
    rock = g.ramp(g.noise(place, scale * 1.6, 5.0), "0.3:455081 0.7:a490a4")
    cover = g.smooth(g.height(g.node("NewGeometry").outputs["Normal"]), 0.5, 0.8)
    return g.node("BsdfDiffuse", g.mix(cover, rock, g.ramp(g.noise(place, scale, 4.0), greens)), 1.0).outputs[0]


def water(g: Graph, place: Any) -> Any:
    """A still lake: ripples stretched across the view, a mirror at a glance, teal where one looks down."""
    waves = g.noise(g.vector("MULTIPLY", place, (0.35, 1.3, 1.0)), 1.1, 2.0)
    bump, mirror = g.node("Bump", 0.1, 0.35), g.node("BsdfAnisotropic", "f7f7f9", 0.04)
    g.feed(bump.inputs["Height"], waves)
    g.feed(mirror.inputs["Normal"], bump.outputs[0])
    glance = g.math("POWER", g.node("LayerWeight", 0.5).outputs["Facing"], 1.6)
    return g.node("MixShader", glance, g.node("Emission", "27616f").outputs[0], mirror.outputs[0]).outputs[0]


def make_materials() -> None:
    for name, recipe in PAINTS.items():
        add_material(name, lambda g, place, recipe=recipe: paint(g, place, *recipe))
    add_material("Lake", water)
    add_material("Land", lambda g, p: land(g, p, 0.55, "0.3:38614b 0.55:6c844b 0.7:ad8950"))
    add_material("Far land", lambda g, p: land(g, p, 0.12, "0.3:275569 0.55:3f6c76 0.7:7c7c69"))
