# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on does when Blender says that something happened: as little as can be."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from . import changes, node
from .cache import scene_cache


@persistent
def _on_frame(scene: bpy.types.Scene, *_: object) -> None:
    changes.note_frame(scene)
    for group in filter(node.is_dream_group, bpy.data.node_groups):
        if not group.library:
            node.show_frame(group, scene.frame_current)


@persistent
def _on_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    changes.note(depsgraph)
    if depsgraph.id_type_updated("NODETREE") or depsgraph.id_type_updated("SCENE"):
        node.separate_copies()


@persistent
def _on_load(*_: object) -> None:
    changes.forget()
    node.separate_copies()


_before_save: list[str] = []


@persistent
def _on_save_pre(*_: object) -> None:
    """Saving gives the file another hash. If 3D is as it was, what was rendered stays good under the new one."""
    _before_save[:] = [] if changes.unsaved_3d() else [changes.file_hash(Path(bpy.data.filepath))]


@persistent
def _on_save_post(*_: object) -> None:
    changes.forget()
    for before in filter(None, _before_save):
        for scene in bpy.data.scenes:
            scene_cache(scene).carry_over(before, changes.file_hash(Path(bpy.data.filepath)))


_HANDLERS = (
    ("frame_change_post", _on_frame),
    ("render_pre", _on_frame),
    ("depsgraph_update_post", _on_update),
    ("load_post", _on_load),
    ("save_pre", _on_save_pre),
    ("save_post", _on_save_post),
)


def register() -> None:
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
