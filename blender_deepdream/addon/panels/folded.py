# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels below another one, closed at first, that show settings by name."""

from __future__ import annotations

from typing import ClassVar

import bpy


class Folded:
    """Mixed into panels. names: of the settings that it shows."""

    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}
    names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def settings(cls, context: bpy.types.Context) -> bpy.types.PropertyGroup:
        """Whose they are."""
        raise NotImplementedError

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        settings = self.settings(context)
        for name in self.names:
            self.layout.prop(settings, name)


class FoldedObjective(Folded):
    """What is to grow, and the guide where that needs one."""

    bl_label = "Objective & Guide"
    names = ("objective", "cosine_power")

    @classmethod
    def looks_at_guide(cls, settings: bpy.types.PropertyGroup) -> bool:
        return bool(settings.needs_guide)

    def draw(self, context: bpy.types.Context) -> None:
        super().draw(context)
        settings = self.settings(context)
        if self.looks_at_guide(settings):
            self.layout.template_ID(settings, "guide", open="image.open")
