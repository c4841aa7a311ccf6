# SPDX-License-Identifier: GPL-3.0-or-later
"""Grease pencil, which Blender draws over the finished render: the Vector pass knows only what lies behind it."""

from __future__ import annotations

import bpy

_TYPES = {"GPENCIL", "GREASEPENCIL"}
"""Until 4.2, and from 4.3 on."""


def draws_strokes(scene: bpy.types.Scene) -> bool:
    """Whether grease pencil is drawn in any frame: in all of them motion is followed in the same way."""
    objects = (item for layer in scene.view_layers if layer.use for item in layer.objects)
    return any(item.type in _TYPES and (not item.hide_render or _may_appear(item)) for item in objects)


def _may_appear(item: bpy.types.Object) -> bool:
    return bool(item.animation_data and item.animation_data.action)
