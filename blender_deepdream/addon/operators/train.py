# SPDX-License-Identifier: GPL-3.0-or-later
"""Train a brain on a folder of pictures, and stop doing so."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

import bpy

from ...protocol.errors import CancelledError
from .. import report
from ..languages import reported
from .running import CancelOperator, Event, Steps, WorkOperator, connector

if TYPE_CHECKING:
    from ..training import TrainEvent


class DEEPDREAM_OT_train(WorkOperator, bpy.types.Operator):
    """Train a brain on the folder of pictures, on the dream server; Blender stays usable meanwhile"""

    bl_idname = "deepdream.train"
    bl_label = "Start Training"

    activity: ClassVar[str] = "training"
    busy: ClassVar[str] = "A training is running: wait for it, or stop it"
    escapes: ClassVar[bool] = False

    follow: bpy.props.BoolProperty(
        name="Follow", description="Follow the training that this scene began last, without sending its pictures again"
    )

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        from ..training import TrainJob, train

        scene = context.scene
        settings = scene.deepdream.training
        training = settings.begun(scene) if self.follow else settings.to_training(scene)
        self._scene_id = scene.session_uid
        self._job = TrainJob(training, connector(), patience)
        return train(self._job)

    def ends_at_once(self) -> bool:
        self._job.stopped = True
        return False

    def show(self, state: bpy.types.PropertyGroup, event: Event) -> None:
        super().show(state, event)
        event = cast("TrainEvent", event)
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene_id), None)
        if scene is not None:
            _keep(scene.deepdream.training, self._job.training.name, event)
        if event.picture:
            report.reload(self._job.training.report)
        if event.stopped:
            state.error, state.code = event.stopped, CancelledError.code
            self.report({"WARNING"}, reported(event.stopped))


class DEEPDREAM_OT_stop_training(CancelOperator, bpy.types.Operator):
    """Stop the training; the best brain so far is kept"""

    bl_idname = "deepdream.stop_training"
    bl_label = "Stop"

    work = DEEPDREAM_OT_train
    idle = "No training is running"


def _keep(settings: bpy.types.PropertyGroup, name: str, event: TrainEvent) -> None:
    """What the file knows of a training when it is opened again."""
    if event.ended:
        settings.job = ""
        settings.trained, settings.outcome = event.brain.name if event.brain else "", event.outcome
    elif event.job and settings.job != event.job:
        settings.job, settings.job_brain = event.job, name


classes = (DEEPDREAM_OT_train, DEEPDREAM_OT_stop_training)
