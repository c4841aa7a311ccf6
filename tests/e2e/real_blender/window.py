# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a real Blender with its window: shows the compositor, and tells the hand at the mouse what is where.

WINDOW_STATE names a JSON file that is kept up to date with what the add-on says and shows.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

import bpy
import guishot

ADDON = "bl_ext.user_default.blender_deepdream"
STATE = Path(os.environ["WINDOW_STATE"])


def choose_server() -> None:
    """As an artist would in the preferences."""
    chosen = bpy.context.preferences.addons[ADDON].preferences
    chosen.server = "ADDRESS"
    chosen.url = os.environ["WINDOW_SERVER"]
    chosen.token_file = os.environ["WINDOW_TOKEN_FILE"]


def make_tree() -> None:
    tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    bpy.context.scene.compositing_node_group = tree
    source, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
    source.location, output.location = (-450, 150), (350, 100)
    tree.links.new(source.outputs["Image"], output.inputs[0])


def show_workspace() -> None:
    guishot.workspace("Compositing")


def show_compositor() -> None:
    area = guishot.area("NODE_EDITOR")
    area.spaces.active.show_region_ui = True
    area.spaces.active.show_region_asset_shelf = False


def show_tab() -> None:
    guishot.region(guishot.area("NODE_EDITOR"), "UI").active_panel_category = "DeepDream"
    with guishot.override("NODE_EDITOR"):
        bpy.ops.node.view_all()
        bpy.ops.view2d.zoom_out(zoomfacx=-0.2, zoomfacy=-0.2)
        bpy.ops.view2d.pan(deltax=110, deltay=-30)  # the sidebar lies over the right end


def mark_places() -> None:
    """Where to click, in the window's pixels."""
    area = guishot.area("NODE_EDITOR")
    canvas, sidebar = guishot.region(area), guishot.region(area, "UI")
    source, output = list(bpy.context.scene.compositing_node_group.nodes)[:2]
    start, end = (canvas.view2d.view_to_region(*place, clip=False) for place in (socket_of(source), left_of(output)))
    guishot.mark("LINK", canvas.x + (start[0] + end[0]) // 2, canvas.y + (start[1] + end[1]) // 2)
    guishot.mark("EMPTY", canvas.x + (start[0] + end[0]) // 2, canvas.y + canvas.height // 5)
    guishot.mark("SIDEBAR", sidebar.x + sidebar.width // 2, sidebar.y + sidebar.height)


def socket_of(node: bpy.types.Node) -> tuple[float, float]:
    return node.location.x + node.width, node.location.y - 35


def left_of(node: bpy.types.Node) -> tuple[float, float]:
    return node.location.x, node.location.y - 35


def tell() -> float:
    """Write the state; called again and again."""
    manager = bpy.context.window_manager.deepdream
    tree = bpy.context.scene.compositing_node_group
    state = {
        "running": manager.running,
        "error": manager.error,
        "message": manager.message,
        "seed": seed_of(tree),
        "status": status_of(tree),
        "nodes": [node.name for node in tree.nodes],
        "links": [[link.from_node.name, link.to_node.name] for link in tree.links],
    }
    show_result()
    temporary = STATE.with_suffix(".new")
    temporary.write_text(json.dumps(state), "utf-8")
    temporary.replace(STATE)
    return 0.1


def dream_groups(tree: bpy.types.NodeTree) -> list[bpy.types.NodeTree]:
    groups = [getattr(node, "node_tree", None) for node in tree.nodes]
    return [group for group in groups if group and group.deepdream.id]


def seed_of(tree: bpy.types.NodeTree) -> int:
    return sum(group.deepdream.seed for group in dream_groups(tree))


def status_of(tree: bpy.types.NodeTree) -> str:
    """What the panel says of the node."""
    said = importlib.import_module(f"{ADDON}.addon.status")
    return " ".join(said.status(bpy.context.scene, group).text for group in dream_groups(tree))


def show_result() -> None:
    """Choose the Render Result in the image editor, once there is one."""
    area, result = guishot.area("IMAGE_EDITOR"), bpy.data.images.get("Render Result")
    if area and result and area.spaces.active.image != result:
        area.spaces.active.image = result
        with guishot.override("IMAGE_EDITOR"):
            bpy.ops.image.view_all(fit_view=True)


def start_telling() -> None:
    bpy.app.timers.register(tell)


guishot.steps(show_workspace, choose_server, make_tree, show_compositor, show_tab, show_tab, mark_places, start_telling)
