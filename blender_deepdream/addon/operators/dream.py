# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dream Frame and Dream Animation share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import bpy

from .. import counting, live_preview
from ..render_job import must_end_first
from .running import Event, Steps, WorkOperator

if TYPE_CHECKING:
    from ..run import Job


class DreamOperator(WorkOperator):
    """Mixed into operators; `make_job` says what is dreamed."""

    busy: ClassVar[str] = "A dream is running: wait for it, or cancel it"
    kept: ClassVar[str] = "Finished frames are kept."

    @classmethod
    def state(cls, context: bpy.types.Context) -> bpy.types.PropertyGroup:
        return context.window_manager.deepdream

    def make_job(self, context: bpy.types.Context) -> Job:
        raise NotImplementedError

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        from ..pipeline import dream_frames

        job = self.make_job(context)
        job.patience = patience
        return dream_frames(job)

    def ends_at_once(self) -> bool:
        return not must_end_first()

    def show(self, state: bpy.types.PropertyGroup, event: Event) -> None:
        super().show(state, event)
        if event.preview:
            live_preview.show(event.preview)

    def finish(self, context: bpy.types.Context) -> None:
        super().finish(context)
        counting.forget()
        live_preview.end(bpy.data.images.get("Render Result"))
