# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on does when Blender says that something happened: as little as can be."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from . import after_render, changes, counting, live_preview, node, render_job
from .cache import scene_cache


@persistent
def _on_frame(scene: bpy.types.Scene, *_: object) -> None:
    changes.note_frame(scene)
    node.show_all(scene.frame_current)


@persistent
def _on_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    changes.note(depsgraph)
    if depsgraph.id_type_updated("NODETREE") or depsgraph.id_type_updated("SCENE"):
        node.separate_copies()


@persistent
def _on_load(*_: object) -> None:
    changes.forget()
    counting.forget()
    node.separate_copies()
    after_render.begin()


_before_save: list[tuple[str, int, str]] = []
"""Of the save in hand: the file's name, its time, and its hash where rendered passes depend on it."""


@persistent
def _on_save_pre(*_: object) -> None:
    live_preview.put_away()
    render_job.swap_held()
    rendered = any((scene_cache(scene).root / "raw").is_dir() for scene in bpy.data.scenes)
    known = changes.file_hash(Path(bpy.data.filepath)) if rendered and not changes.unsaved_3d() else ""
    _before_save[:] = [(bpy.data.filepath, _saved_at(), known)]


@persistent
def _on_save_post(*_: object) -> None:
    """Saving gives the file another hash. If 3D is as it was, what was rendered stays good under the new one."""
    render_job.swap_held()
    path, time, known = _before_save.pop() if _before_save else ("", 0, "")
    if (path, time) == (bpy.data.filepath, _saved_at()):
        return  # a copy was saved elsewhere: what is in memory is still not on disk here
    changes.forget()
    counting.forget()
    if known:
        now = changes.file_hash(Path(bpy.data.filepath))
        for scene in bpy.data.scenes:
            scene_cache(scene).carry_over(known, now)


@persistent
def _on_save_fail(*_: object) -> None:
    if _before_save:
        _before_save.clear()
        render_job.swap_held()


def _saved_at() -> int:
    """When the .blend was last written, in nanoseconds; 0 for one that never was."""
    path = Path(bpy.data.filepath)
    return path.stat().st_mtime_ns if bpy.data.filepath and path.is_file() else 0


_HANDLERS = (
    ("frame_change_post", _on_frame),
    ("render_pre", _on_frame),
    ("depsgraph_update_post", _on_update),
    ("load_post", _on_load),
    ("save_pre", _on_save_pre),
    ("save_post", _on_save_post),
    ("save_post_fail", _on_save_fail),
    ("render_init", after_render.on_init),
    ("render_write", after_render.on_write),
    ("render_complete", after_render.on_complete),
)


def register() -> None:
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    after_render.begin()


def unregister() -> None:
    after_render.stop()
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
