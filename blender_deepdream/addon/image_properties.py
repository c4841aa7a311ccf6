# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a dream of an image."""

from __future__ import annotations

import bpy

from ..protocol.settings import KNOBS, MOTION
from .dream_properties import Dreamable, dream_properties

IMAGE_KNOBS = tuple(name for name in KNOBS if name not in {*MOTION, "coherence"})
"""The knobs that mean something to a single image."""


class DeepDreamImageSettings(Dreamable, bpy.types.PropertyGroup):
    """Stored on the scene. The knobs are those of `protocol.settings`."""

    knobs = IMAGE_KNOBS

    __annotations__ = {
        **dream_properties(KNOBS[name] for name in IMAGE_KNOBS),
        "replace": bpy.props.BoolProperty(
            name="Replace Everywhere",
            description="Let the dream take the image's place wherever that is used: in materials, nodes, brushes. The "
            "image itself stays, unchanged; undo puts it back",
        ),
    }
