# SPDX-License-Identifier: GPL-3.0-or-later
"""A dreamed relief in the displacement of a material: bumps in its light, or real ones where the material's settings
say *Displacement*. What the artist had there is added to it."""

from __future__ import annotations

import bpy

MARK = "deepdream_surface"
"""A custom property on the nodes of a dream."""
LABEL = "DeepDream Relief"


def displacement_input(material: bpy.types.Material) -> bpy.types.NodeSocket | None:
    """The input that takes the artist's own displacement: of the node that adds ours to it, if there is one."""
    added = _node(material, "ShaderNodeVectorMath")
    if added is not None:
        return added.inputs[0]
    output = material.node_tree.get_output_node("CYCLES") if material.node_tree else None
    return output.inputs["Displacement"] if output else None


def show_relief(material: bpy.types.Material, image: bpy.types.Image, layer: str) -> None:
    """Let heights in world units displace. layer: the UV map that they lie on."""
    remove_relief(material)
    tree, target = material.node_tree, displacement_input(material)
    nodes = [tree.nodes.new(f"ShaderNode{kind}") for kind in ("VectorMath", "Displacement", "TexImage", "UVMap")]
    added, displacement, texture, map_ = nodes
    for number, node in enumerate(nodes):
        node[MARK], node.label = True, LABEL
        node.location = (target.node.location.x - 200 - 200 * number, target.node.location.y - 500)
    if target.is_linked:
        tree.links.new(target.links[0].from_socket, added.inputs[0])
    image.colorspace_settings.name, texture.image, map_.uv_map = "Non-Color", image, layer
    displacement.space = "WORLD"
    displacement.inputs["Midlevel"].default_value = 0
    tree.links.new(map_.outputs["UV"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], displacement.inputs["Height"])
    tree.links.new(displacement.outputs[0], added.inputs[1])
    tree.links.new(added.outputs[0], target)
    set_depth(material, 1.0)


def set_depth(material: bpy.types.Material, factor: float) -> None:
    """0: without the relief, 1: with all of it."""
    displacement = _node(material, "ShaderNodeDisplacement")
    if displacement is not None:
        displacement.inputs["Scale"].default_value = factor


def remove_relief(material: bpy.types.Material) -> None:
    """Take the relief away: the displacement is as it was."""
    added, tree = _node(material, "ShaderNodeVectorMath"), material.node_tree
    if added is not None and added.inputs[0].is_linked and added.outputs[0].is_linked:
        tree.links.new(added.inputs[0].links[0].from_socket, added.outputs[0].links[0].to_socket)
    # also what is left of one that somebody has taken apart
    for node in [node for node in tree.nodes if MARK in node and node.label == LABEL] if tree else ():
        tree.nodes.remove(node)


def _node(material: bpy.types.Material, kind: str) -> bpy.types.Node | None:
    """Our node of a kind that a relief has once."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    return next((node for node in nodes if node.bl_idname == kind and MARK in node), None)
