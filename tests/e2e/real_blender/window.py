# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a real Blender with its window, and touches nothing there: it tells the hand at the mouse what is so.

WINDOW_STATE names a JSON file that is kept up to date with what the add-on says, and for how long Blender stood still.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import guishot
from bpy.app.handlers import persistent

sys.path.insert(0, str(Path(__file__).parent))
import reading

ADDON = "bl_ext.user_default.blender_deepdream"
STATE = Path(os.environ["WINDOW_STATE"])
CLOSE = Path(os.environ["GUISHOT_DIR"]) / "close"
_ABOVE = 25
"""Pixels from a link to the mouse that drops a node on it: the node hangs below the mouse."""
_TITLE = 35
"""How far below its top a node's first socket lies."""


def tell() -> float:
    """Write the state; called again and again."""
    shown = {"windows": len(bpy.context.window_manager.windows), "workspace": guishot.window().workspace.name}
    state = shown | {"draws": len(_draws), "undone": len(_undone)}
    if hasattr(bpy.types.WindowManager, "deepdream"):
        state |= _addon_state() | {"stalls": stalls, "steps": steps}
    temporary = STATE.with_suffix(".new")
    temporary.write_text(json.dumps(state), "utf-8")
    temporary.replace(STATE)
    if CLOSE.is_file() and len(bpy.context.window_manager.windows) > 1:
        _close_last_window()
    return 0.1


def _addon_state() -> dict[str, Any]:
    manager, tree = bpy.context.window_manager.deepdream, _tree()
    nodes = list(tree.nodes) if tree else []
    groups = [node.node_tree for node in nodes if getattr(node, "node_tree", None)]
    return {
        "running": manager.running,
        "error": manager.error,
        "message": manager.message,
        "connection": manager.connection.message,
        "install": manager.server.message,
        "install_error": manager.server.error,
        "nodes": [node.bl_idname for node in nodes],
        "links": [[link.from_node.name, link.to_node.name] for link in tree.links] if tree else [],
        "link": _on_link(tree) if tree else [],
        "settings": [[group.deepdream.brain, group.deepdream.layers] for group in groups],
        "shown": [image.name for group in groups for image in _images(group)],
        "status": " ".join(_status(group) for group in groups),
    }


def _images(group: bpy.types.NodeTree) -> Iterator[bpy.types.Image]:
    """Those inside a node's group: its dreams."""
    return (node.image for node in group.nodes if getattr(node, "image", None))


def _tree() -> bpy.types.NodeTree | None:
    scene = bpy.context.scene
    return scene.compositing_node_group if bpy.app.version >= (5, 0) else scene.node_tree


def _status(group: bpy.types.NodeTree) -> str:
    """What the panel says of the node."""
    return importlib.import_module(f"{ADDON}.addon.status").status(bpy.context.scene, group).text


def _on_link(tree: bpy.types.NodeTree) -> list[int]:
    """Where to drop a node onto the rendered image's link, from the top left; empty where there is none."""
    area = guishot.area("NODE_EDITOR")
    link = next((link for link in tree.links if link.from_node.bl_idname == "CompositorNodeRLayers"), None)
    if not area or not link:
        return []
    canvas, start, end = guishot.region(area), link.from_node, link.to_node
    drop = 0 if end.bl_idname == "NodeReroute" else _TITLE
    places = (start.location.x + start.width, start.location.y - _TITLE), (end.location.x, end.location.y - drop)
    (left, low), (right, high) = (canvas.view2d.view_to_region(*place, clip=False) for place in places)
    return [canvas.x + (3 * left + right) // 4, guishot.window().height - canvas.y - (3 * low + high) // 4 - _ABOVE]


def _close_last_window() -> None:
    """As the window manager's button would: here is none."""
    CLOSE.unlink()
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
        bpy.ops.wm.window_close()


stalls: dict[str, float] = {}
"""The longest time for which no timer of Blender's was called, by what the add-on was doing."""
steps: dict[str, float] = {}
"""The longest step of the add-on's own, likewise."""
_beats: list[float] = []
_draws: list[float] = []
"""When the nodes were drawn."""


def beat() -> float:
    _beats.append(time.perf_counter())
    if len(_beats) > 1:
        _note(stalls, _doing(), _beats[-1] - _beats.pop(0))
    _watch_steps()
    return 0.01


def _note(longest: dict[str, float], what: str, seconds: float) -> None:
    longest[what] = round(max(longest.get(what, 0), seconds), 3)


def _doing() -> str:
    """The stage, of `Frame 1 (1 of 3): dreaming, octave 2 of 4`."""
    manager = getattr(bpy.context.window_manager, "deepdream", None)
    return manager.message.partition(": ")[2].partition(",")[0] if manager and manager.running else "idle"


def _watch_steps() -> None:
    """Time each step of a dream, once the add-on is there."""
    if f"{ADDON}.addon.operators.dream" not in sys.modules:
        return
    kind = sys.modules[f"{ADDON}.addon.operators.dream"].DreamOperator
    if "modal" in vars(kind):
        return
    modal = kind.modal

    def timed(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        started, doing = time.perf_counter(), _doing()
        try:
            return modal(self, context, event)
        finally:
            _note(steps, f"{doing} > {_doing()}", time.perf_counter() - started)

    kind.modal = timed


_undone: list[float] = []
"""When something was."""


def _note_draw() -> None:
    _draws.append(time.perf_counter())


@persistent
def _note_undo(*_: object) -> None:
    _undone.append(time.perf_counter())


def start() -> None:
    bpy.app.handlers.undo_post.append(_note_undo)
    bpy.types.SpaceNodeEditor.draw_handler_add(_note_draw, (), "WINDOW", "POST_PIXEL")
    for told in (tell, beat, reading.answer):
        bpy.app.timers.register(told, persistent=True)


guishot.steps(start)
