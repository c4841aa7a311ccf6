# SPDX-License-Identifier: GPL-3.0-or-later
"""The regions of a DeepDream node: an entry in its list, and an input of the node for its mask."""

from __future__ import annotations

import bpy

from . import compat

READER = "The dreamer reads the mask"
"""Label of the node inside the group that reads all masks."""


def add_region(group: bpy.types.NodeTree) -> bpy.types.PropertyGroup:
    """A new region, shown in the list; it dreams once it has a mask."""
    socket = group.interface.new_socket(
        f"Region {len(group.deepdream.regions) + 1}", in_out="INPUT", socket_type="NodeSocketFloat"
    )
    socket.min_value, socket.max_value, socket.hide_value = 0.0, 1.0, True
    socket.description = "Mask of a region: where it dreams of its own layers"
    entry = group.deepdream.regions.add()
    entry.socket = socket.identifier
    group.deepdream.region = len(group.deepdream.regions) - 1
    _read(group, socket.identifier)
    return entry


def remove_region(group: bpy.types.NodeTree, index: int) -> None:
    """Remove an entry of the list and its input."""
    identifier = group.deepdream.regions[index].socket
    group.deepdream.regions.remove(index)
    group.deepdream.region = max(0, min(index, len(group.deepdream.regions) - 1))
    _read_no_more(group, identifier)
    group.interface.remove(_input(group, identifier))
    for number, entry in enumerate(group.deepdream.regions, 1):
        _input(group, entry.socket).name = f"Region {number}"


def _input(group: bpy.types.NodeTree, identifier: str) -> bpy.types.NodeTreeInterfaceSocket:
    items = (item for item in group.interface.items_tree if item.item_type == "SOCKET")
    return next(item for item in items if item.identifier == identifier)


def inner_socket(group: bpy.types.NodeTree, identifier: str) -> bpy.types.NodeSocket:
    """Where what is linked to an input of the group comes out inside."""
    source = next(node for node in group.nodes if node.bl_idname == "NodeGroupInput")
    return next(socket for socket in source.outputs if socket.identifier == identifier)


def _read(group: bpy.types.NodeTree, identifier: str) -> None:
    """Let the node that reads the mask read this input too: Blender greys out inputs that nothing reads."""
    reader = next((node for node in group.nodes if node.label == READER and node.inputs[0].is_linked), None)
    if reader is None:
        return  # the artist has rebuilt the inside: it is theirs
    both = compat.math_node(group, "ADD")
    both.name = both.label = _reading(identifier)
    both.location = (-220, -180 - 160 * len(group.deepdream.regions))
    group.links.new(reader.inputs[0].links[0].from_socket, both.inputs[0])
    group.links.new(inner_socket(group, identifier), both.inputs[1])
    group.links.new(both.outputs[0], reader.inputs[0])


def _read_no_more(group: bpy.types.NodeTree, identifier: str) -> None:
    both = group.nodes.get(_reading(identifier))
    if both is None:
        return
    if both.inputs[0].is_linked and both.outputs[0].is_linked:
        group.links.new(both.inputs[0].links[0].from_socket, both.outputs[0].links[0].to_socket)
    group.nodes.remove(both)


def _reading(identifier: str) -> str:
    return f"Reads {identifier}"
