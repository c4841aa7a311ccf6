# SPDX-License-Identifier: GPL-3.0-or-later
"""Train a brain: what it learns from, the few settings that matter, how it comes along, and what it has become."""

from __future__ import annotations

import bpy

from ...protocol.recipe import Recipe
from .. import report
from ..drawing import Helped, draw_activity, draw_error, wrapped
from ..operators.show_report import DEEPDREAM_OT_show_report
from ..operators.train import DEEPDREAM_OT_stop_training, DEEPDREAM_OT_train
from ..operators.use_brain import DEEPDREAM_OT_use_brain
from ..report import LEARNING, REPORTS, report_path
from ..training_properties import report_folder
from .compositor import Sidebar

_FIRST = ("base", "epochs", "clarity", "photometric")
_PICTURE_SCALE = 11.0
"""Of the picture in the panel, in rows of buttons."""


class DEEPDREAM_PT_training(Helped, Sidebar, bpy.types.Panel):
    bl_label = "Train a Brain"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.space_data.tree_type == "CompositorNodeTree"

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.training
        state = context.window_manager.deepdream.training
        layout.use_property_split, layout.use_property_decorate = True, False
        if draw_activity(layout, context, state, DEEPDREAM_OT_stop_training.bl_idname):
            _draw_report(layout, context, settings.brain)
            return
        for name in ("pictures", "brain", *_FIRST):
            layout.prop(settings, name)
        _draw_start(layout, settings)
        draw_error(layout, context, state)
        if settings.trained:
            _draw_trained(layout, context)


class DEEPDREAM_PT_recipe(Sidebar, bpy.types.Panel):
    bl_label = "Recipe"
    bl_parent_id = "DEEPDREAM_PT_training"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.deepdream.training
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.active = not context.window_manager.deepdream.training.running
        layout.prop(settings, "replace")
        layout.label(text="Dream from, after each epoch:")
        layout.template_ID(settings, "source", open="image.open")
        for name in Recipe.knobs():
            if name not in _FIRST:
                layout.prop(settings, name)


def _draw_start(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    column = layout.column(align=True)
    column.scale_y = 1.3
    column.operator(DEEPDREAM_OT_train.bl_idname, icon="PLAY").follow = False
    if settings.job:
        column.operator(DEEPDREAM_OT_train.bl_idname, text="Follow the One Begun", icon="HIDE_OFF").follow = True


def _draw_trained(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.deepdream.training
    box = layout.box()
    wrapped(box, context, f"{settings.trained}: {settings.outcome}", icon="CHECKMARK")
    box.operator(DEEPDREAM_OT_use_brain.bl_idname, icon="NODE_COMPOSITING")
    _draw_report(box, context, settings.trained)


def _draw_report(layout: bpy.types.UILayout, context: bpy.types.Context, brain: str) -> None:
    """How it learns, or its dreams after each epoch, and buttons that show these and what else there is in full."""
    folder = report_folder(context.scene, brain)
    paths = {name: path for name in (LEARNING, *REPORTS) if (path := report_path(folder, name))}
    if paths:
        layout.template_icon(icon_value=report.icon(next(iter(paths.values()))), scale=_PICTURE_SCALE)
    buttons = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    for name in paths:
        button = buttons.operator(DEEPDREAM_OT_show_report.bl_idname, text=name.capitalize())
        button.brain, button.picture = brain, name


classes = (DEEPDREAM_PT_training, DEEPDREAM_PT_recipe)
