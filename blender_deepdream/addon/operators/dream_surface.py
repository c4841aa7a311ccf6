# SPDX-License-Identifier: GPL-3.0-or-later
"""Dream the textures of the selected objects; show them, or the originals; take them away again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

import bpy

from ..cache import scene_cache
from ..languages import reported
from ..surface.color_input import dream_factor, remove_dream, set_factor
from .running import CancelOperator, Steps, WorkOperator, connector


class DEEPDREAM_OT_dream_surface(WorkOperator, bpy.types.Operator):
    """Dream the textures of the selected objects, through views from all sides, and wire them into their materials"""

    bl_idname = "deepdream.dream_surface"
    bl_label = "Dream Surface"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    activity: ClassVar[str] = "surface"
    busy: ClassVar[str] = "A surface is dreaming: wait for it, or cancel it"
    kept: ClassVar[str] = "Rendered views are kept."

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        from ..surface.job import dream_surface

        scene, settings = context.scene, context.scene.deepdream.surface
        job = settings.to_job(scene, context.selected_objects, scene_cache(scene), connector())
        return dream_surface(replace(job, patience=patience))


class DEEPDREAM_OT_cancel_surface(CancelOperator, bpy.types.Operator):
    """Stop dreaming; rendered views are kept"""

    bl_idname = "deepdream.cancel_surface"
    bl_label = "Cancel"

    work = DEEPDREAM_OT_dream_surface
    idle = "No surface is dreaming"


class _OnDreamed:
    """Mixed into operators that need a selected object whose material holds a dream."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any(dreamed_materials(context.selected_objects)):
            cls.poll_message_set(reported("Select an object whose surface has dreamed"))
            return False
        return True


class DEEPDREAM_OT_toggle_surface(_OnDreamed, bpy.types.Operator):
    """Show the original textures of the selected objects, or their dreams again"""

    bl_idname = "deepdream.toggle_surface"
    bl_label = "Original / Dream"

    def execute(self, context: bpy.types.Context) -> set[str]:
        materials = list(dreamed_materials(context.selected_objects))
        shown = any(dream_factor(material) for material in materials)
        for material in materials:
            set_factor(material, 0.0 if shown else 1.0)
        return {"FINISHED"}


class DEEPDREAM_OT_remove_surface(_OnDreamed, bpy.types.Operator):
    """Take the dreams of the selected objects out of their materials"""

    bl_idname = "deepdream.remove_surface"
    bl_label = "Remove Dream"

    def execute(self, context: bpy.types.Context) -> set[str]:
        for material in list(dreamed_materials(context.selected_objects)):
            remove_dream(material)
        return {"FINISHED"}


def dreamed_materials(objects: Iterable[bpy.types.Object]) -> Iterator[bpy.types.Material]:
    """Materials of these objects that hold a dream, each once."""
    found = {slot.material: None for item in objects for slot in item.material_slots if slot.material}
    return (material for material in found if dream_factor(material) is not None)


classes = (
    DEEPDREAM_OT_dream_surface,
    DEEPDREAM_OT_cancel_surface,
    DEEPDREAM_OT_toggle_surface,
    DEEPDREAM_OT_remove_surface,
)
