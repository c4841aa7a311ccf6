# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a material whose base colour is under our control.

What a camera sees is what the material shows with a black base colour, plus light times the base colour, whatever its
shader is: so two renders, black and white, tell how any texture will look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from .color_input import color_input, remove_dream

ShownMask = tuple[str, bpy.types.Image | None]
"""A mask: the name of a colour attribute, or an image on the UV map that renders use."""


@dataclass(frozen=True)
class Probe:
    """material: the copy. color: the node that its base colour comes from. bare: shows that colour alone, unlit, as the
    artist has it. masks: each shows a mask alone."""

    material: bpy.types.Material
    color: bpy.types.Node
    bare: bpy.types.Material
    masks: tuple[bpy.types.Material, ...]

    def set(self, value: float) -> None:
        """Grey, 0 to 1."""
        self.color.outputs[0].default_value = (value, value, value, 1)

    @property
    def datablocks(self) -> tuple[bpy.types.ID, ...]:
        return (self.material, self.bare, *self.masks)


def make_probe(material: bpy.types.Material, masks: Sequence[ShownMask] = ()) -> Probe:
    """Raises SceneError for a material without a base colour."""
    copy, bare = material.copy(), material.copy()
    for item in (copy, bare):
        remove_dream(item)
    shown = tuple(_shown_mask(material.copy(), *mask) for mask in masks)
    return Probe(copy, _under_control(copy), _shown_bare(bare), shown)


def _under_control(material: bpy.types.Material) -> bpy.types.Node:
    socket, tree = color_input(material), material.node_tree
    color = tree.nodes.new("ShaderNodeRGB")
    tree.links.new(color.outputs[0], socket)
    return color


def _shown_bare(material: bpy.types.Material) -> bpy.types.Material:
    """The material with its base colour alone, glowing."""
    socket, tree = color_input(material), material.node_tree
    glow = tree.nodes.new("ShaderNodeEmission")
    if socket.is_linked:
        tree.links.new(socket.links[0].from_socket, glow.inputs["Color"])
    else:
        glow.inputs["Color"].default_value = socket.default_value
    tree.links.new(glow.outputs[0], tree.get_output_node("CYCLES").inputs["Surface"])
    return material


def _shown_mask(material: bpy.types.Material, attribute: str, image: bpy.types.Image | None) -> bpy.types.Material:
    """A mask alone, glowing."""
    tree = material.node_tree
    glow = tree.nodes.new("ShaderNodeEmission")
    if image is None:
        source = tree.nodes.new("ShaderNodeVertexColor")
        source.layer_name = attribute
    else:
        source = tree.nodes.new("ShaderNodeTexImage")
        source.image = image
    tree.links.new(source.outputs["Color"], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], tree.get_output_node("CYCLES").inputs["Surface"])
    return material
