# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators that work for a while share: steps of work, drained at once by scripts, from a timer in a window."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, ClassVar, Protocol

import bpy

from ...protocol.errors import CancelledError, DeepDreamError, InternalError
from .. import runtime
from ..languages import reported
from ..preferences import server_choice

if TYPE_CHECKING:
    from ...protocol.client import DreamClient

_TICK_SECONDS = 0.05
_PATIENCE_SECONDS = 0.1
log = logging.getLogger(__name__)


class Event(Protocol):
    """One step of work. fraction: of the whole, 0 to 1. text: where it is. note: what people must be told once.

    Dreams have `preview` beside that: a JPEG of what there is so far, where it is new.
    """

    @property
    def fraction(self) -> float: ...

    @property
    def text(self) -> str: ...

    @property
    def note(self) -> str: ...


Steps = Generator[Event, None, None]


class WorkOperator:
    """Mixed into operators; `make_steps` says what is done.

    activity: what of the window manager's state the panels show of it. busy: why it cannot start while it runs. kept:
    what is left of it when it is cancelled. escapes: whether Esc cancels.
    """

    activity: ClassVar[str]
    busy: ClassVar[str]
    kept: ClassVar[str]
    escapes: ClassVar[bool] = True
    _running: ClassVar[set[WorkOperator]] = set()

    @classmethod
    def state(cls, context: bpy.types.Context) -> bpy.types.PropertyGroup:
        """What the panels show of this work: a DeepDreamActivity."""
        return getattr(context.window_manager.deepdream, cls.activity)

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        """The work, and its checks beforehand. patience: seconds for which a step may wait for others. Raises
        DeepDreamError."""
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if cls.state(context).running:
            cls.poll_message_set(reported(cls.busy))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The whole work, blocking: for scripts and for Blender in background."""
        state = self.state(context)
        state.error = ""
        try:
            for event in self.make_steps(context, _PATIENCE_SECONDS):
                self.show(state, event)
        except Exception as error:  # Blender's boundary: what went wrong must reach the panel
            return self._failed(state, _told(error))
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        state = self.state(context)
        state.error, state.cancelling, state.fraction, state.message = "", False, 0.0, ""
        try:
            self._steps = self.make_steps(context, 0)
        except DeepDreamError as error:
            return self._failed(state, error)
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        context.window_manager.progress_begin(0, 1)
        state.running = True
        self._running.add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        state = self.state(context)
        if self.escapes and event.type == "ESC" and event.value == "PRESS":
            state.cancelling = True
        if state.cancelling and self.ends_at_once():
            self.finish(context)
            return self._failed(state, CancelledError(f"Cancelled. {self.kept}"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        shown = state.message
        try:
            self.show(state, next(self._steps))
        except StopIteration:
            self.finish(context)
            return {"FINISHED"}
        except Exception as error:  # Blender's boundary: an operator that dies here would seem to run for ever
            self.finish(context)
            return self._failed(state, _told(error))
        if state.message != shown:  # drawing a window takes time from the work, where both share a CPU
            context.window_manager.progress_update(state.fraction)
            redraw(context)
        return {"PASS_THROUGH"}  # other add-ons have timers too

    def ends_at_once(self) -> bool:
        """Somebody wishes to cancel: whether the work is simply dropped."""
        return True

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
            self.state(context).running = False
            redraw(context)

    def show(self, state: bpy.types.PropertyGroup, event: Event) -> None:
        """Let the panels know."""
        state.fraction = event.fraction
        state.message = event.text
        if event.note:
            self.report({"WARNING"}, reported(event.note))

    def _failed(self, state: bpy.types.PropertyGroup, error: DeepDreamError) -> set[str]:
        state.error, state.code = str(error), error.code
        state.message = ""
        self.report({"WARNING" if isinstance(error, CancelledError) else "ERROR"}, reported(str(error)))
        return {"CANCELLED"}


class CancelOperator:
    """Mixed into operators that end the work of another one. work: that one. idle: why there is nothing to end."""

    work: ClassVar[type[WorkOperator]]
    idle: ClassVar[str]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not cls.work.state(context).running:
            cls.poll_message_set(reported(cls.idle))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        self.work.state(context).cancelling = True
        return {"FINISHED"}


def connector() -> Callable[..., DreamClient]:
    """Finds the dream server that the preferences name now; may be called in any thread, where Blender's own data may
    not be read, with a DreamClient's client_id."""
    return functools.partial(runtime.connect, server_choice())


Told = Callable[[bpy.types.Operator, bpy.types.Context], None]


def told_at_once(execute: Told) -> Callable[[bpy.types.Operator, bpy.types.Context], set[str]]:
    """The `execute` of an operator that is quick: what goes wrong is reported, in words."""

    @functools.wraps(execute)
    def reporting(self: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
        try:
            execute(self, context)
        except DeepDreamError as error:
            self.report({"ERROR"}, reported(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}

    return reporting


def stop_all() -> None:
    """End what still runs: the add-on is being switched off."""
    for operator in list(WorkOperator._running):
        operator.finish(bpy.context)


def _told(error: Exception) -> DeepDreamError:
    """The error as people are told it; a defect of ours is logged whole."""
    if isinstance(error, DeepDreamError):
        return error
    log.error("The work met a defect", exc_info=error)
    return InternalError(
        f"Something broke: {type(error).__name__}: {error}", "The console says more; please report it."
    )


def redraw(context: bpy.types.Context) -> None:
    """Let all that shows work of ours be drawn anew."""
    areas = [area for window in context.window_manager.windows for area in window.screen.areas]
    for kind, region in [(area.type, region) for area in areas for region in area.regions]:
        # of a 3D view its sidebar alone: the view itself may take long to draw
        if kind in {"NODE_EDITOR", "IMAGE_EDITOR", "PREFERENCES"} or (kind == "VIEW_3D" and region.type == "UI"):
            region.tag_redraw()
