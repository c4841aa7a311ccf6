# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a data set that is rendered from the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bpy
import gpu

from . import compat
from .dataset import DatasetJob
from .dataset_scene import Look
from .paths import chosen_folder
from .studio import Cameras
from .subjects import Subject


def _height(name: str, degrees: float, which: str) -> Any:
    """A camera's height above the horizon, in radians."""
    return bpy.props.FloatProperty(
        name=name,
        description=f"Height of the {which} cameras above the horizon",
        default=math.radians(degrees),
        min=-math.pi / 2,
        max=math.pi / 2,
        subtype="ANGLE",
    )


class DeepDreamDatasetSettings(bpy.types.PropertyGroup):
    """Stored on the scene."""

    __annotations__ = {
        "classes": bpy.props.EnumProperty(
            name="Classes",
            description="What is a class of the data set",
            items=(
                ("OBJECTS", "Selected Objects", "Each selected object, with all that is parented to it"),
                (
                    "COLLECTIONS",
                    "Collections",
                    "Each collection that a selected object lies in, with all that is in it",
                ),
            ),
        ),
        "count": bpy.props.IntProperty(
            name="Pictures", description="Pictures of each class", default=60, min=1, max=9999, soft_max=500
        ),
        "side": bpy.props.IntProperty(
            name="Side", description="Width and height of each picture", default=160, min=16, max=2048, subtype="PIXEL"
        ),
        "cameras": bpy.props.EnumProperty(
            name="Cameras",
            description="From where the pictures are taken",
            items=(
                ("RANDOM", "Random", "From anywhere between the two heights, with any lens, near and far"),
                ("TURNTABLE", "Turntable", "Around the subject in even steps, midway between the two heights"),
            ),
        ),
        "lowest": _height("Lowest", -10, "lowest"),
        "highest": _height("Highest", 65, "highest"),
        "background": bpy.props.EnumProperty(
            name="Background",
            description="What lies behind the subject",
            items=(
                ("TRANSPARENT", "Transparent", "Nothing: while it trains, each picture gets another one every time"),
                ("COLOR", "Colors", "One colour, another one in each picture"),
            ),
        ),
        "engine": bpy.props.EnumProperty(
            name="Engine",
            description="What renders the pictures",
            items=(
                ("AUTO", "Automatic", "EEVEE in a window with a graphics card, else Cycles"),
                ("CYCLES", "Cycles", ""),
                ("EEVEE", "EEVEE", ""),
            ),
        ),
        "samples": bpy.props.IntProperty(
            name="Samples", description="Samples of each pixel", default=32, min=1, max=4096, soft_max=256
        ),
        "seed": bpy.props.IntProperty(
            name="Seed", description="Another seed takes other pictures, the same one the same again", min=0
        ),
        "again": bpy.props.BoolProperty(
            name="Render Again",
            description="Render finished pictures again too. Needed where a material was changed: moved or reshaped "
            "objects and other settings are seen",
        ),
    }

    def to_job(self, scene: bpy.types.Scene, subjects: Sequence[Subject], folder: str) -> DatasetJob:
        """Raises InputError without a folder."""
        return DatasetJob(
            scene,
            subjects,
            chosen_folder(folder),
            self.count,
            Cameras(*sorted((self.lowest, self.highest)), even=self.cameras == "TURNTABLE", steps=self.count),
            Look(self.side, self.samples, self._engine(), background=self.background == "COLOR"),
            self.seed,
            self.again,
        )

    def _engine(self) -> str:
        if self.engine == "AUTO":
            return compat.eevee() if has_graphics_card() else "CYCLES"
        return compat.eevee() if self.engine == "EEVEE" else "CYCLES"


def has_graphics_card() -> bool:
    """Whether there is a window, drawn by hardware."""
    return not bpy.app.background and gpu.platform.device_type_get() != "SOFTWARE"
