# SPDX-License-Identifier: GPL-3.0-or-later
"""Dreams that begin by themselves when the artist's own render has ended, where the scene says so.

Blender calls the handlers in the thread that renders: they note what happened, and a timer in Blender's own thread
starts the dream. It lives while any scene wishes it.
"""

from __future__ import annotations

import logging
import queue

import bpy
from bpy.app.handlers import persistent

from ..protocol.errors import DeepDreamError, SceneError
from . import changes, node

_LOOK_SECONDS = 0.3
log = logging.getLogger(__name__)


class _Render:
    """The render in hand. written: how many frames it has written: animations do, F12 does not, scripts may. ours: not
    the artist's. That is noted when it begins: who cancels a dream does not wait for the end of its render."""

    written = 0
    ours = False


_ended: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()
"""Scenes, by session_uid, whose render has ended, and whether it was an animation."""


@persistent
def on_init(*_: object) -> None:
    _Render.written, _Render.ours = 0, changes.is_paused()


@persistent
def on_write(*_: object) -> None:
    _Render.written += 1


@persistent
def on_complete(scene: bpy.types.Scene, *_: object) -> None:
    """Our own renders, which are no changes of the artist's, start nothing: else there were no end of it."""
    if scene.deepdream.after_render and not _Render.ours:
        alone = scene.frame_start == scene.frame_end
        _ended.put((scene.session_uid, _Render.written > (0 if alone else 1)))


def look() -> float | None:
    """Start what is wished. Returns the seconds until the next look; None where no scene wishes anything."""
    if bpy.app.is_job_running("RENDER"):
        return _LOOK_SECONDS
    while not _ended.empty():
        _start(*_ended.get())
    return _LOOK_SECONDS if any(scene.deepdream.after_render for scene in bpy.data.scenes) else None


def begin() -> None:
    """Look, from now on: a scene may wish it, or have come with a file."""
    if not bpy.app.timers.is_registered(look):
        bpy.app.timers.register(look, first_interval=_LOOK_SECONDS, persistent=True)


def stop() -> None:
    """The add-on is being switched off."""
    if bpy.app.timers.is_registered(look):
        bpy.app.timers.unregister(look)
    while not _ended.empty():
        _ended.get()


def _start(scene_id: int, animation: bool) -> None:
    """The same as the artist's pressing the button, in the window that shows the scene."""
    scene = next((scene for scene in bpy.data.scenes if scene.session_uid == scene_id), None)
    if scene is None or not _dreams(scene):
        return
    if animation and not scene.render.use_overwrite:
        state = bpy.context.window_manager.deepdream
        state.code = SceneError.code
        state.error = (
            "The render's frames were not dreamed: they would be written again. Switch on Output > Overwrite for that."
        )
        return
    windows = bpy.context.window_manager.windows
    window = next((window for window in windows if window.scene == scene), None)
    if window is None and not bpy.app.background:
        log.warning("No window shows the scene %s any more: its dream does not start by itself.", scene.name)
        return
    operator = bpy.ops.deepdream.dream_animation if animation else bpy.ops.deepdream.dream_frame
    shown = {"window": window} if window else {}
    with bpy.context.temp_override(**shown, scene=scene):
        if operator.poll():
            try:
                operator("INVOKE_DEFAULT")
            except RuntimeError as error:  # the panel says it, too
                log.warning("The dream after the render did not start: %s", str(error).strip())


def _dreams(scene: bpy.types.Scene) -> bool:
    try:
        return bool(node.find_nodes(scene))
    except DeepDreamError:  # then the dream will say so
        return True
