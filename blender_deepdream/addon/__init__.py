# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's side: the only place that imports bpy."""

from __future__ import annotations

import bpy

from . import (
    commands,
    counting,
    handlers,
    help_pages,
    languages,
    operators,
    panels,
    pictures,
    preferences,
    properties,
    replay,
    report,
    runtime,
)

CLASSES = (
    *properties.classes,
    *preferences.classes,
    *replay.classes,
    *operators.classes,
    *panels.classes,
)
_WITH_MORE = (languages, help_pages, properties, pictures, panels, handlers, report, runtime, commands)
"""Modules that register more than classes."""


def register() -> None:
    for item in CLASSES:
        bpy.utils.register_class(item)
    for module in _WITH_MORE:
        module.register()


def unregister() -> None:
    operators.stop_all()
    counting.stop()
    for module in reversed(_WITH_MORE):
        module.unregister()
    for item in reversed(CLASSES):
        bpy.utils.unregister_class(item)
