# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a training, and what its panel shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..protocol.errors import InputError
from ..protocol.recipe import Recipe
from . import compat
from .cache import make_folder, scene_cache
from .image_files import image_file
from .knob_properties import knob_property
from .paths import chosen_folder

if TYPE_CHECKING:
    from .train_task import Training


class DeepDreamTrainingSettings(bpy.types.PropertyGroup):
    """Stored on the scene.

    job, job_brain: id and brain's name of the training that was begun last and has not ended, as far as is known here.
    trained, outcome: the brain that was trained last, and what it has come to, in words.
    """

    __annotations__ = {
        "pictures": bpy.props.StringProperty(
            name="Pictures",
            description="Folder of the pictures to learn from: each folder in it is a class. Pictures without folders "
            "are sorted by what the base brain sees",
            subtype="DIR_PATH",
            options=compat.BESIDE_BLEND,
        ),
        "brain": bpy.props.StringProperty(name="Name", description="What the new brain will be called"),
        "replace": bpy.props.BoolProperty(
            name="Replace", description="Whether a brain of that name makes way; else it is an error"
        ),
        "source": bpy.props.PointerProperty(
            type=bpy.types.Image,
            name="Dream From",
            description="Image that the brain dreams from after each epoch; empty: an image of nothing",
        ),
        "job": bpy.props.StringProperty(options={"HIDDEN"}),
        "job_brain": bpy.props.StringProperty(options={"HIDDEN"}),
        "trained": bpy.props.StringProperty(options={"HIDDEN"}),
        "outcome": bpy.props.StringProperty(options={"HIDDEN"}),
        **{knob.name: knob_property(knob) for knob in Recipe.knobs().values()},
    }

    def to_recipe(self) -> Recipe:
        """Raises SettingsError."""
        return Recipe().replace(**{name: _as_typed(getattr(self, name)) for name in Recipe.knobs()})

    def to_training(self, scene: bpy.types.Scene) -> Training:
        """What is asked for. Raises InputError without a folder or a name, SettingsError, SceneError."""
        from .train_task import Training

        if not self.brain.strip():
            raise InputError("The new brain has no name.", "Give it one: it is listed by it in the library.")
        report = report_folder(scene, self.brain)
        return Training(
            name=self.brain.strip(),
            pictures=chosen_folder(self.pictures),
            report=report,
            recipe=self.to_recipe(),
            source=image_file(self.source, make_folder(report)) if self.source else None,
            replace=self.replace,
        )

    def begun(self, scene: bpy.types.Scene) -> Training:
        """The training that was begun last, to be followed again. Raises InputError if there is none."""
        from .train_task import Training

        if not self.job:
            raise InputError("This scene has begun no training that could be followed.", "Start one.")
        report = report_folder(scene, self.job_brain)
        return Training(self.job_brain, pictures=report, report=report, job=self.job)


def report_folder(scene: bpy.types.Scene, brain: str) -> Path:
    """Where pictures of how a brain learned go: beside the .blend."""
    from ..protocol.picture_folder import names_of

    (name,) = names_of([(brain.strip().replace("/", "_") or "brain",)])
    return scene_cache(scene).root / "training" / name


def _as_typed(value: Any) -> Any:
    """A number as the artist typed it: Blender holds 0.02 as 0.019999999552965164."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
