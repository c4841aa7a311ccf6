# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own render job, in a window that stays alive: Blender renders in a thread, shows it, and Esc ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..protocol.errors import CancelledError, RenderError
from .restore import Restore

_held: list[Restore] = []
"""What is set otherwise while a render job runs: not what the artist has set, and not to be saved."""

_unfinished: list[bool] = []


def runs_in_window(patience: float) -> bool:
    """Whether Blender works in a window that is to stay alive meanwhile. patience: seconds for which a step of the work
    may wait for others: none, where a window does it."""
    return not patience and not bpy.app.background and bool(bpy.context.window_manager.windows)


def rendered_meanwhile(scene: bpy.types.Scene, restore: Restore, **how: bool) -> Iterator[None]:
    """Render a scene, as it is set, into the Render Result; yields until it is done.

    restore: has what was set for it. how: write_still or animation. Raises RenderError, CancelledError.
    """
    restore.set(scene.render, "use_lock_interface", True)
    restore.set(bpy.context.preferences.view, "render_display_type", "NONE")
    with _cancel_noted() as cancelled, holding(restore):
        try:
            outcome = bpy.ops.render.render("INVOKE_DEFAULT", scene=scene.name, **how)
        except RuntimeError as error:
            raise RenderError(f"Blender could not render {scene.name!r}: {str(error).strip()}") from error
        if "CANCELLED" in outcome:
            raise RenderError("Blender renders already.", "Wait until that is done, or press Esc in its window.")
        while bpy.app.is_job_running("RENDER"):
            yield
    if cancelled:
        raise CancelledError("The render was cancelled.")


@contextmanager
def to_its_end() -> Iterator[None]:
    """Around a job that reads files of ours and writes one: who cancels waits for its end."""
    _unfinished.append(True)
    try:
        yield
    finally:
        _unfinished.pop()


def must_end_first() -> bool:
    """Whether there is such a job."""
    return bool(_unfinished)


@contextmanager
def _cancel_noted() -> Iterator[list[bool]]:
    noted: list[bool] = []

    def note(*_: Any) -> None:
        noted.append(True)

    bpy.app.handlers.render_cancel.append(note)
    try:
        yield noted
    finally:
        bpy.app.handlers.render_cancel.remove(note)


@contextmanager
def holding(restore: Restore) -> Iterator[None]:
    """While this lasts, what is set otherwise is not saved."""
    _held.append(restore)
    try:
        yield
    finally:
        _held.remove(restore)


def swap_held() -> None:
    """Before a file is saved, and again after it: let settings be as the artist has set them."""
    for restore in _held:
        restore.swap()
