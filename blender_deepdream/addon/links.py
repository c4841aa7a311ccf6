# SPDX-License-Identifier: GPL-3.0-or-later
"""What the links of a compositor tell: in which order its nodes work, and where an image comes from."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ..protocol.errors import SceneError

_MOVERS = {"CompositorNodeTranslate", "CompositorNodeTransform", "CompositorNodeStabilize"}
_BENDERS = {
    f"CompositorNode{name}"
    for name in ("Scale", "Rotate", "Flip", "Crop", "Lensdist", "MapUV", "Displace", "CornerPin", "MovieDistortion")
}
"""Nodes after which a pixel is no longer where it was rendered."""

_FILMS = {"CompositorNodeImage", "CompositorNodeMovieClip"}


def upstream_first(tree: bpy.types.NodeTree) -> list[bpy.types.Node]:
    """The tree's nodes, each after all that are linked to its inputs. Raises SceneError on a circle of links."""
    ordered: list[bpy.types.Node] = []
    state: dict[str, bool] = {}  # False: being visited, True: done
    stack = [(node, False) for node in tree.nodes]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            state[node.name] = True
            ordered.append(node)
        elif node.name not in state:
            state[node.name] = False
            stack.append((node, True))
            for source in (link.from_node for socket in node.inputs for link in socket.links):
                if state.get(source.name) is False:
                    raise SceneError(
                        f"The compositor's nodes form a circle at {source.name!r}.", "Cut one of the links."
                    )
                stack.append((source, False))
    return ordered


def is_moved(image: bpy.types.NodeSocket) -> bool:
    """Whether the image comes from a node that moves images."""
    return any(node.bl_idname in _MOVERS and not node.mute for node in _way_back(image))


def rendered_scene(image: bpy.types.NodeSocket) -> str:
    """The name of the scene whose Render Layers the image comes from, if no node on its way moves or bends it."""
    way = list(_way_back(image))
    if not way or any(node.bl_idname in _MOVERS | _BENDERS and not node.mute for node in way):
        return ""
    origin = way[-1]
    return str(origin.scene.name) if origin.bl_idname == "CompositorNodeRLayers" and origin.scene else ""


def is_filmed(image: bpy.types.NodeSocket) -> bool:
    """Whether the image comes from image files or a movie."""
    return any(node.bl_idname in _FILMS for node in _way_back(image))


def _way_back(image: bpy.types.NodeSocket) -> Iterator[bpy.types.Node]:
    """The nodes that the image comes from, by way of the first image inputs of each.

    A node that combines images works at the place of its first one.
    """
    seen: set[str] = set()
    while image.is_linked:
        source = image.links[0].from_node
        if source.name in seen:
            break
        seen.add(source.name)
        yield source
        images = [socket for socket in source.inputs if socket.type == "RGBA"]
        if not images:
            break
        image = images[0]
