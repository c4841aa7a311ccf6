# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of all dreams have, of nodes, of images and of surfaces: knobs, pictures to choose by, a guide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import bpy

from ..protocol.knob import Knob
from ..protocol.layers import parse_layers
from ..protocol.settings import DreamSettings
from .brain_choice import CHOICES
from .knob_properties import knob_property


def dream_properties(knobs: Iterable[Knob]) -> dict[str, Any]:
    """The annotations that settings with these knobs have in common.

    surprise: the number of the last one that was given to them; 0: none.
    """
    return {
        **{knob.name: knob_property(knob) for knob in knobs},
        **CHOICES,
        "surprise": bpy.props.IntProperty(options={"HIDDEN"}),
        "guide": bpy.props.PointerProperty(
            type=bpy.types.Image, name="Guide", description="Image whose things the dream shall be made of"
        ),
    }


class Dreamable:
    """Mixed into settings with `dream_properties`. knobs: the names of those that they have."""

    knobs: ClassVar[tuple[str, ...]] = ()

    @property
    def needs_guide(self) -> bool:
        """Whether the chosen objective looks at a guide image."""
        return DreamSettings().replace(objective=self.objective).needs_guide

    def to_settings(self) -> DreamSettings:
        """What is dreamed, checked once more. Raises SettingsError."""
        values = {name: getattr(self, name) for name in self.knobs}
        return DreamSettings().replace(**values | {"layers": parse_layers(self.layers, self.faded)})

    @property
    def faded(self) -> float | None:
        """How far weights that fade have gone, 0 to 1; None where nothing fades."""
        return None
