# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a dream of an image."""

from __future__ import annotations

import bpy

from ..protocol.layers import parse_layers
from ..protocol.settings import KNOBS, MOTION, DreamSettings
from .brain_choice import CHOICES
from .knob_properties import knob_property

IMAGE_KNOBS = tuple(name for name in KNOBS if name not in {*MOTION, "coherence"})
"""The knobs that mean something to a single image."""


class DeepDreamImageSettings(bpy.types.PropertyGroup):
    """Stored on the scene. The knobs are those of `protocol.settings`."""

    __annotations__ = {
        **{name: knob_property(KNOBS[name]) for name in IMAGE_KNOBS},
        **CHOICES,
        "guide": bpy.props.PointerProperty(
            type=bpy.types.Image, name="Guide", description="Image whose things the dream shall be made of"
        ),
        "replace": bpy.props.BoolProperty(
            name="Replace Everywhere",
            description="Let the dream take the image's place wherever that is used: in materials, nodes, brushes. The "
            "image itself stays, unchanged; undo puts it back",
        ),
    }

    @property
    def needs_guide(self) -> bool:
        """Whether the chosen objective looks at a guide image."""
        return DreamSettings().replace(objective=self.objective).needs_guide

    def to_settings(self) -> DreamSettings:
        """What is dreamed, checked once more. Raises SettingsError."""
        values = {name: getattr(self, name) for name in IMAGE_KNOBS}
        return DreamSettings().replace(**values | {"layers": parse_layers(self.layers)})
