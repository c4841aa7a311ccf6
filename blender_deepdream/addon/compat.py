# SPDX-License-Identifier: GPL-3.0-or-later
"""Every difference between Blender 4.2 and 5.2 that the add-on meets, and only those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

NEW_COMPOSITOR = bpy.app.version >= (5, 0)
"""From 5.0 on the compositor's tree is a node group of its own, with a Group Output, and File Output has items."""


BESIDE_BLEND = {"PATH_SUPPORTS_BLEND_RELATIVE"} if NEW_COMPOSITOR else set()
"""Options of a path property that may begin with //; older versions let all of them."""


def compositor_tree(scene: bpy.types.Scene) -> bpy.types.NodeTree | None:
    """The tree that composites this scene, or None if it has none or does not use it."""
    if NEW_COMPOSITOR:
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def make_compositor_tree(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositor tree; a scene without one gets Render Layers linked to the output."""
    if tree := compositor_tree(scene):
        return tree
    if not NEW_COMPOSITOR:
        scene.use_nodes = True
        return scene.node_tree
    tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group = tree
    source, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
    source.location, output.location = (-300, 0), (300, 0)
    tree.links.new(source.outputs["Image"], output.inputs[0])
    return tree


def output_socket(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket | None:
    """The socket that takes the finished image, or None if the tree has no active output node."""
    kind = "NodeGroupOutput" if NEW_COMPOSITOR else "CompositorNodeComposite"
    outputs = [node for node in tree.nodes if node.bl_idname == kind]
    active = next((node for node in outputs if node.is_active_output), None) if NEW_COMPOSITOR else None
    node = active or next(iter(outputs), None)
    return next((socket for socket in node.inputs if socket.type == "RGBA"), None) if node else None


def eevee() -> str:
    """The identifier of the engine that renders on the GPU."""
    return "BLENDER_EEVEE" if NEW_COMPOSITOR else "BLENDER_EEVEE_NEXT"


def new_world(name: str) -> bpy.types.World:
    """A world with a node tree."""
    world = bpy.data.worlds.new(name)
    if not NEW_COMPOSITOR:
        world.use_nodes = True
    return world


def set_format(settings: bpy.types.ImageFormatSettings, file_format: str) -> None:
    """Choose a still image format by its identifier ("PNG", "OPEN_EXR_MULTILAYER", ...)."""
    if NEW_COMPOSITOR:
        multilayer = file_format == "OPEN_EXR_MULTILAYER"
        settings.media_type = "MULTI_LAYER_IMAGE" if multilayer else "IMAGE"
    settings.file_format = file_format


def set_float_exr(settings: bpy.types.ImageFormatSettings, *, multilayer: bool) -> None:
    """32-bit float EXR, losslessly packed: half floats would turn the background's depth of 1e10 into 65504."""
    set_format(settings, "OPEN_EXR_MULTILAYER" if multilayer else "OPEN_EXR")
    if not multilayer:
        settings.color_mode = "RGBA"
    settings.color_depth = "32"
    settings.exr_codec = "ZIP"


def point_file_output(node: bpy.types.Node, folder: Path, name: str) -> None:
    """Let a File Output node write what its first socket gets into `folder`, as a float EXR called `name`...exr."""
    set_float_exr(node.format, multilayer=False)
    if NEW_COMPOSITOR:
        node.directory, node.file_name = literal_path(folder), name
        if not node.file_output_items:
            node.file_output_items.new("RGBA", "Image")
    else:
        node.base_path = str(folder)
        node.file_slots[0].path = name


def literal_path(path: Path) -> str:
    """A path for a field that takes patterns: from 5.0 on `{name}` in it stands for a variable."""
    return str(path).replace("{", "{{").replace("}", "}}") if NEW_COMPOSITOR else str(path)


def set_switch(node: bpy.types.Node, on: bool) -> None:
    """Choose which input a Switch node lets through. Writes only a change: a write makes Blender composite again."""
    if "Switch" in node.inputs:
        if node.inputs["Switch"].default_value != on:
            node.inputs["Switch"].default_value = on
    elif node.check != on:
        node.check = on


def switch_inputs(node: bpy.types.Node) -> tuple[Any, Any]:
    """The two images that a Switch node chooses from: off, on."""
    return node.inputs["Off"], node.inputs["On"]


def is_deprecated(prop: bpy.types.Property) -> bool:
    """Whether Blender warns of a property's use. Before 5.0 none tells."""
    return bool(getattr(prop, "is_deprecated", False))


def working_space() -> str:
    """The name of the colour space that scene-linear numbers are in."""
    return bpy.data.colorspace.working_space if NEW_COMPOSITOR else "Linear Rec.709"


def replace_alpha_node(tree: bpy.types.NodeTree) -> bpy.types.Node:
    """A Set Alpha node that puts its Alpha input in the place of the image's own alpha."""
    node = tree.nodes.new("CompositorNodeSetAlpha")
    if NEW_COMPOSITOR:
        node.inputs["Type"].default_value = "Replace Alpha"
    else:
        node.mode = "REPLACE_ALPHA"
    return node


def mix_node(tree: bpy.types.NodeTree) -> tuple[bpy.types.Node, Any, Any, Any]:
    """A colour Mix node, with its inputs: factor, what it shows at factor 0, at factor 1."""
    if not NEW_COMPOSITOR:
        node = tree.nodes.new("CompositorNodeMixRGB")
        return node, *node.inputs
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = "RGBA"
    factor = next(socket for socket in node.inputs if socket.identifier == "Factor_Float")
    first, second = (socket for socket in node.inputs if socket.type == "RGBA")
    return node, factor, first, second


def mix_result(node: bpy.types.Node) -> bpy.types.NodeSocket:
    """The colour that a node of `mix_node` gives."""
    return next(socket for socket in node.outputs if socket.type == "RGBA")


def math_node(tree: bpy.types.NodeTree, operation: str) -> bpy.types.Node:
    """A Math node in a compositor tree."""
    node = tree.nodes.new("ShaderNodeMath" if NEW_COMPOSITOR else "CompositorNodeMath")
    node.operation = operation
    return node
