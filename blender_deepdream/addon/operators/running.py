# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dream Frame and Dream Animation share: the pipeline, drained at once by scripts, from a timer in a window."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import ClassVar

import bpy

from ...protocol.client import DreamClient
from ...protocol.errors import CancelledError, DeepDreamError, InternalError
from .. import runtime
from ..pipeline import dream_frames
from ..preferences import server_choice
from ..run import Event, Job

_TICK_SECONDS = 0.05
log = logging.getLogger(__name__)


class DreamOperator:
    """Mixed into operators; `make_job` says what is dreamed."""

    _running: ClassVar[set[DreamOperator]] = set()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.window_manager.deepdream.running:
            cls.poll_message_set("A dream is running: wait for it, or cancel it")
            return False
        return True

    def make_job(self, context: bpy.types.Context) -> Job:
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The whole work, blocking: for scripts and for Blender in background."""
        state = context.window_manager.deepdream
        state.error = ""
        try:
            for event in dream_frames(self.make_job(context)):
                self._show(state, event)
        except Exception as error:  # Blender's boundary: what went wrong must reach the panel
            return self._failed(state, _told(error))
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        state = context.window_manager.deepdream
        state.error, state.cancelling, state.fraction = "", False, 0.0
        try:
            job = self.make_job(context)
        except DeepDreamError as error:
            return self._failed(state, error)
        job.patience = 0
        self._steps: Iterator[Event] = dream_frames(job)
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        context.window_manager.progress_begin(0, 1)
        state.running = True
        self._running.add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        state = context.window_manager.deepdream
        if state.cancelling or (event.type == "ESC" and event.value == "PRESS"):
            self.finish(context)
            return self._failed(state, CancelledError("Cancelled. Finished frames are kept."))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        shown = state.message
        try:
            self._show(state, next(self._steps))
        except StopIteration:
            self.finish(context)
            return {"FINISHED"}
        except Exception as error:  # Blender's boundary: an operator that dies here would seem to run for ever
            self.finish(context)
            return self._failed(state, _told(error))
        if state.message != shown:  # drawing a window takes time from the dream, where both share a CPU
            context.window_manager.progress_update(state.fraction)
            _redraw(context)
        return {"PASS_THROUGH"}  # other add-ons have timers too

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender is closing or loading another file."""
        self.finish(context)

    def finish(self, context: bpy.types.Context) -> None:
        """Stop the work and leave the scene as it was; called once, however it ends."""
        self._running.discard(self)
        try:
            self._steps.close()
        finally:
            context.window_manager.event_timer_remove(self._timer)
            context.window_manager.progress_end()
            context.window_manager.deepdream.running = False
            _redraw(context)

    def _show(self, state: bpy.types.PropertyGroup, event: Event) -> None:
        state.fraction = event.fraction
        state.message = event.text
        if event.note:
            self.report({"WARNING"}, event.note)

    def _failed(self, state: bpy.types.PropertyGroup, error: DeepDreamError) -> set[str]:
        state.error = str(error)
        state.message = ""
        self.report({"WARNING" if isinstance(error, CancelledError) else "ERROR"}, str(error))
        return {"CANCELLED"}


def connect() -> DreamClient:
    """The dream server of the preferences."""
    return runtime.connect(server_choice())


def stop_all() -> None:
    """End what still runs: the add-on is being switched off."""
    for operator in list(DreamOperator._running):
        operator.finish(bpy.context)


def _told(error: Exception) -> DeepDreamError:
    """The error as people are told it; a defect of ours is logged whole."""
    if isinstance(error, DeepDreamError):
        return error
    log.error("A dream met a defect", exc_info=error)
    return InternalError(
        f"Something broke: {type(error).__name__}: {error}", "The console says more; please report it."
    )


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"NODE_EDITOR", "IMAGE_EDITOR"}:
                area.tag_redraw()
