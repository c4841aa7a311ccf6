# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a material's base colour goes in, and the switch between it and its dream.

The dream is mixed in by one Mix node: factor 1 shows the dream, 0 the original, which stays linked (or typed) in its
first input. So the original is never more than one click away, in a file opened without the add-on, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ...protocol.errors import SceneError
from .. import compat
from .relief_output import MARK, remove_relief, set_depth

_NAMES = ("Base Color", "Color")
LABEL = "DeepDream"


def color_input(material: bpy.types.Material) -> bpy.types.NodeSocket:
    """The input that takes the base colour: the first colour that reaches the output, behind our own switch.

    Raises SceneError for a material without one.
    """
    tree = material.node_tree
    output = tree.get_output_node("CYCLES") if tree else None
    found = _first_color(output.inputs["Surface"]) if output else None
    if found is None:
        raise SceneError(
            f"The material {material.name!r} has no base colour that reaches its output.",
            "Give it a shader with a colour, like Principled BSDF.",
        )
    return found


def original_input(material: bpy.types.Material) -> bpy.types.NodeSocket:
    """The input that holds the artist's own colour: our switch's if it has been dreamed already."""
    switch = find_switch(material)
    return _original(switch) if switch else color_input(material)


def is_ours(node: bpy.types.Node) -> bool:
    return MARK in node


def find_switch(material: bpy.types.Material) -> bpy.types.Node | None:
    """The Mix node of an earlier dream."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    return next((node for node in nodes if node.bl_idname == "ShaderNodeMix" and MARK in node), None)


def show_dream(material: bpy.types.Material, image: bpy.types.Image, layer: str) -> None:
    """Wire an image in where the base colour is, in the place of an earlier dream. layer: its UV map."""
    tree = material.node_tree
    switch = find_switch(material) or _add_switch(material)
    dream = _dream(switch)
    texture = dream.links[0].from_node if dream.is_linked else _add_texture(tree, dream)
    texture.image = image
    texture.inputs["Vector"].links[0].from_node.uv_map = layer
    remove_relief(material)
    set_factor(material, 1.0)


def set_factor(material: bpy.types.Material, factor: float) -> None:
    """0: the original, 1: the dream, its relief too."""
    set_depth(material, factor)
    switch = find_switch(material)
    if switch is not None:
        _factor(switch).default_value = factor


def dream_factor(material: bpy.types.Material) -> float | None:
    """How much of the dream is shown; None where there is none."""
    switch = find_switch(material)
    return None if switch is None else float(_factor(switch).default_value)


def remove_dream(material: bpy.types.Material) -> None:
    """Take our nodes away: the material is as it was."""
    remove_relief(material)
    switch = find_switch(material)
    if switch is None:
        return
    tree, target, original = material.node_tree, _result(switch).links[0].to_socket, _original(switch)
    if original.is_linked:
        tree.links.new(original.links[0].from_socket, target)
    else:
        target.default_value = original.default_value
    for node in [node for node in tree.nodes if MARK in node]:
        tree.nodes.remove(node)


def ensure_nodes(material: bpy.types.Material) -> None:
    """A material of a single colour gets the nodes that look the same."""
    if material.node_tree is not None and (compat.NEW_COMPOSITOR or material.use_nodes):
        return
    material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    shader.inputs["Base Color"].default_value = material.diffuse_color


def _first_color(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket | None:
    """Depth first, from an input that takes a shader."""
    for node in _sources(socket):
        colors = [item for item in node.inputs if item.type == "RGBA" and item.enabled]
        named = [item for name in _NAMES for item in colors if item.name == name]
        if named or colors:
            return (named or colors)[0]
        for item in node.inputs:
            if item.type == "SHADER" and (found := _first_color(item)):
                return found
    return None


def _sources(socket: bpy.types.NodeSocket) -> Iterator[bpy.types.Node]:
    """What is linked into an input, reroutes passed over."""
    for link in socket.links:
        if link.from_node.bl_idname == "NodeReroute":
            yield from _sources(link.from_node.inputs[0])
        else:
            yield link.from_node


def _add_switch(material: bpy.types.Material) -> bpy.types.Node:
    tree, target = material.node_tree, color_input(material)
    switch = tree.nodes.new("ShaderNodeMix")
    switch.data_type, switch[MARK], switch.label = "RGBA", True, LABEL
    switch.location = (target.node.location.x - 200, target.node.location.y)
    original = _original(switch)
    if target.is_linked:
        tree.links.new(target.links[0].from_socket, original)
    else:
        original.default_value = target.default_value
    tree.links.new(_result(switch), target)
    return switch


def _add_texture(tree: bpy.types.NodeTree, dream: bpy.types.NodeSocket) -> bpy.types.Node:
    texture, layer = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeUVMap")
    for number, node in enumerate((texture, layer)):
        node[MARK], node.label = True, LABEL
        node.location = (dream.node.location.x - 300 - 200 * number, dream.node.location.y - 250)
    tree.links.new(layer.outputs["UV"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], dream)
    return texture


def _factor(switch: bpy.types.Node) -> bpy.types.NodeSocket:
    return next(socket for socket in switch.inputs if socket.identifier == "Factor_Float")


def _original(switch: bpy.types.Node) -> bpy.types.NodeSocket:
    return next(socket for socket in switch.inputs if socket.identifier == "A_Color")


def _dream(switch: bpy.types.Node) -> bpy.types.NodeSocket:
    return next(socket for socket in switch.inputs if socket.identifier == "B_Color")


def _result(switch: bpy.types.Node) -> bpy.types.NodeSocket:
    return next(socket for socket in switch.outputs if socket.identifier == "Result_Color")
