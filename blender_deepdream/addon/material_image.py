# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that a material's base colour comes from."""

from __future__ import annotations

import bpy

from ..protocol.errors import SceneError
from .surface.color_input import ensure_nodes, original_input

_TEXTURE = "ShaderNodeTexImage"


def image_of(material: bpy.types.Material) -> bpy.types.Image | None:
    """The image whose colour goes straight into the base colour, if one does."""
    try:
        node = _source(original_input(material))
    except SceneError:
        return None
    return node.image if node and node.bl_idname == _TEXTURE else None


def put_into(material: bpy.types.Material, image: bpy.types.Image) -> None:
    """Let the base colour come from this image: in its texture node, or in a new one.

    Raises SceneError for a material without a base colour.
    """
    ensure_nodes(material)
    target = original_input(material)
    node = _source(target)
    if node is None or node.bl_idname != _TEXTURE:
        node = material.node_tree.nodes.new(_TEXTURE)
        node.location = (target.node.location.x - 320, target.node.location.y)
        material.node_tree.links.new(node.outputs["Color"], target)
    node.image = image


def _source(socket: bpy.types.NodeSocket) -> bpy.types.Node | None:
    return socket.links[0].from_node if socket.is_linked else None
