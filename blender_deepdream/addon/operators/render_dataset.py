# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a data set from the scene, and stop doing so."""

from __future__ import annotations

from typing import ClassVar

import bpy

from ..subjects import selected_subjects
from .running import CancelOperator, Steps, WorkOperator


class DEEPDREAM_OT_render_dataset(WorkOperator, bpy.types.Operator):
    """Render pictures of the selected objects or their collections from many sides: a class of the data set each"""

    bl_idname = "deepdream.render_dataset"
    bl_label = "Render Pictures"

    activity: ClassVar[str] = "dataset"
    busy: ClassVar[str] = "A data set is being rendered: wait for it, or cancel it"
    kept: ClassVar[str] = "Finished pictures are kept."

    folder: bpy.props.StringProperty(
        name="Folder", description="Where the classes' folders go; empty: that of the training", subtype="DIR_PATH"
    )

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        from ..dataset import render_dataset

        settings = context.scene.deepdream
        subjects = selected_subjects(context.view_layer, settings.dataset.classes)
        folder = self.folder or settings.training.pictures
        return render_dataset(settings.dataset.to_job(context.scene, subjects, folder))


class DEEPDREAM_OT_cancel_dataset(CancelOperator, bpy.types.Operator):
    """Stop rendering pictures; finished ones are kept"""

    bl_idname = "deepdream.cancel_dataset"
    bl_label = "Cancel"

    work = DEEPDREAM_OT_render_dataset
    idle = "No data set is being rendered"


classes = (DEEPDREAM_OT_render_dataset, DEEPDREAM_OT_cancel_dataset)
