# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks: choose one by its picture, keep one's own, hand it on as a file, or let chance propose one."""

from __future__ import annotations

import random
from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...protocol.look import SUFFIX, write_look
from .. import looks
from ..brain_choice import known_brain
from ..languages import reported
from ..surprise import MAX_NUMBER, new_number, surprise
from ..target import OnSettings, shown_settings
from .running import told_at_once


class DEEPDREAM_OT_apply_look(OnSettings, bpy.types.Operator):
    """Dream like this picture: all settings of the look, with its brain"""

    bl_idname = "deepdream.apply_look"
    bl_label = "Apply Look"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        looks.load_look(self.filepath, shown_settings(context))


class DEEPDREAM_OT_save_look(OnSettings, bpy.types.Operator):
    """Keep these settings as a look of your own, under this name"""

    bl_idname = "deepdream.save_look"
    bl_label = "Save Look"

    name: bpy.props.StringProperty(name="Name", default="My Look", maxlen=60)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        path = looks.new_file(self.name)
        write_look(looks.taken_from(shown_settings(context), self.name.strip()), path)


class DEEPDREAM_OT_remove_look(bpy.types.Operator):
    """Delete this look of yours"""

    bl_idname = "deepdream.remove_look"
    bl_label = "Remove Look"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    @told_at_once
    def execute(self, _context: bpy.types.Context) -> None:
        looks.remove(Path(self.filepath))


class DEEPDREAM_OT_export_look(OnSettings, ExportHelper, bpy.types.Operator):
    """Write these settings, with the name of their brain, into a file for others"""

    bl_idname = "deepdream.export_look"
    bl_label = "Export Look"
    bl_options = {"REGISTER"}

    filename_ext = SUFFIX
    filter_glob: bpy.props.StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        path = Path(self.filepath)
        write_look(looks.taken_from(shown_settings(context), looks.shown_name(path)), path)


class DEEPDREAM_OT_import_look(OnSettings, ImportHelper, bpy.types.Operator):
    """Dream with the look in a file, and keep it among your own"""

    bl_idname = "deepdream.import_look"
    bl_label = "Import Look"

    filename_ext = SUFFIX
    filter_glob: bpy.props.StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        settings = shown_settings(context)
        look = looks.load_look(self.filepath, settings)
        write_look(look, looks.file_for(look, look.name or Path(self.filepath).stem))
        if known_brain(settings) is None:
            brain = f"{settings.brain} ({look.brain_title})" if look.brain_title else settings.brain
            self.report(
                {"WARNING"}, reported(f"This look dreams with {brain}. If the dream server has it not, get it first.")
            )


class DEEPDREAM_OT_random_look(OnSettings, bpy.types.Operator):
    """Try something: layers, octaves and seed by chance. Press it until you like what you see; undo goes back. Each
    surprise has a number: the same one gives the same settings again"""

    bl_idname = "deepdream.random_look"
    bl_label = "Random"

    number: bpy.props.IntProperty(
        name="Number",
        description="Of the surprise; 0: a new one",
        min=0,
        max=MAX_NUMBER,
        options={"SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = shown_settings(context)
        self.number = self.number or new_number()  # shown below the view, where another one can be typed
        brain = known_brain(settings)
        layers = [layer.name for layer in brain.details.layers] if brain else []
        for name, value in surprise(self.number, layers).items():
            setattr(settings, name, value)
        settings.surprise = self.number
        return {"FINISHED"}


class DEEPDREAM_OT_new_seed(OnSettings, bpy.types.Operator):
    """Another dream of the same kind"""

    bl_idname = "deepdream.new_seed"
    bl_label = "New Seed"

    def execute(self, context: bpy.types.Context) -> set[str]:
        shown_settings(context).seed = random.SystemRandom().randint(0, 9999)
        return {"FINISHED"}


classes = (
    DEEPDREAM_OT_apply_look,
    DEEPDREAM_OT_save_look,
    DEEPDREAM_OT_remove_look,
    DEEPDREAM_OT_export_look,
    DEEPDREAM_OT_import_look,
    DEEPDREAM_OT_random_look,
    DEEPDREAM_OT_new_seed,
)
