# SPDX-License-Identifier: GPL-3.0-or-later
"""How work in hand is shown: a bar, words, a button that ends it."""

from __future__ import annotations

import textwrap

import bpy

from ..protocol.errors import CancelledError, ServerUnavailableError
from . import runtime
from .help_pages import entry_of, page_of
from .languages import shown

_ADDON = __package__.removesuffix(".addon")
_HELP = "deepdream.show_help"
_PIXELS_PER_LETTER = 7
_MARGIN = 60
"""Of a box with an icon in it, in pixels."""


def draw_activity(
    layout: bpy.types.UILayout, context: bpy.types.Context, state: bpy.types.PropertyGroup, cancel: str
) -> bool:
    """Show work that runs; returns whether it does. state: a DeepDreamActivity. cancel: the operator that ends it."""
    if state.running:
        layout.progress(factor=state.fraction, text=f"{state.fraction:.0%}")
        layout.operator(cancel, icon="CANCEL")  # above the words: their lines come and go, and it stays in its place
        wrapped(layout, context, state.message)
    return bool(state.running)


def draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, state: bpy.types.PropertyGroup) -> None:
    """Why the last work ended early, if it did."""
    if state.error:
        box = layout.box()
        wrapped(box, context, state.error, icon="ERROR")
        if "preferences" in state.error and context.area.type != "PREFERENCES":
            box.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = _ADDON
        if state.code == ServerUnavailableError.code and runtime.is_running():
            box.operator("deepdream.restart_server", icon="FILE_REFRESH")
        if state.code != CancelledError.code:
            box.operator(_HELP, icon="HELP").page = entry_of(state.code)


class Helped:
    """Mixed into panels: a button in the header opens the user guide's page."""

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        self.layout.operator(_HELP, text="", icon="HELP", emboss=False).page = page_of(type(self).__name__)


def wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Labels do not wrap by themselves. text: in English, or a name."""
    width = context.region.width / context.preferences.system.ui_scale - _MARGIN
    letters = max(20, int(width / _PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(shown(text), letters)):
        column.label(text=line, icon=icon if number == 0 or icon == "NONE" else "BLANK1")
