# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dream server is used: one of our own, installed here, or one that runs elsewhere already."""

from __future__ import annotations

import bpy

from . import environment
from .drawing import draw_activity, draw_error, wrapped
from .languages import shown
from .runtime import PYTHON_VARIABLE, ServerChoice

_ADDON = __package__.removesuffix(".addon")
_INSTALL, _CANCEL = "deepdream.install_server", "deepdream.cancel_install"
_HERE = ("http://127.", "http://localhost", "http://[::1]")


class DeepDreamPreferences(bpy.types.AddonPreferences):
    bl_idname = _ADDON

    server: bpy.props.EnumProperty(
        name="Dream Server",
        items=(
            ("LOCAL", "Own", "The add-on starts a server on this machine and ends it with Blender"),
            ("ADDRESS", "At Address", "A server that runs already, here or on another machine"),
        ),
    )
    build: bpy.props.EnumProperty(
        name="Made For",
        items=(
            (
                "AUTO",
                "This Machine",
                "Its graphics card where torch knows how to use it, else the CPU",
            ),
            ("CPU", "CPU Only", "The smallest: about 200 MB to fetch, 1.3 GB on disk"),
            ("PYPI", "As Published", "What pypi.org has for this system, without asking download.pytorch.org"),
        ),
    )
    python: bpy.props.StringProperty(
        name="Python",
        description="Interpreter of an environment of your own that has the server; empty: the one installed here, or "
        f"the one that {PYTHON_VARIABLE} names",
        subtype="FILE_PATH",
    )
    url: bpy.props.StringProperty(name="Address", description="For example http://127.0.0.1:8470")
    token_file: bpy.props.StringProperty(
        name="Token File", description="The file that the server named when it started", subtype="FILE_PATH"
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = self.layout, context.window_manager.deepdream
        layout.use_property_split = True
        row = layout.row()
        row.prop(self, "server", expand=True)
        row.operator("deepdream.show_help", text="", icon="HELP", emboss=False).page = "install"
        if self.server == "LOCAL":
            self._draw_own(layout.box(), context, state.server)
            layout.prop(self, "python", text="Or a Python of Yours")
        else:
            layout.prop(self, "url")
            layout.prop(self, "token_file")
            if self.url.startswith("http://") and not self.url.startswith(_HERE):
                layout.label(text="The token crosses the network unencrypted: use https or a tunnel", icon="ERROR")
        _draw_connection(layout, context, state.connection)

    def _draw_own(self, box: bpy.types.UILayout, context: bpy.types.Context, state: bpy.types.PropertyGroup) -> None:
        if draw_activity(box, context, state, _CANCEL):
            box.operator("deepdream.show_install_log", icon="TEXT")
            return
        installed = environment.is_installed()
        if installed and environment.is_current():
            row = box.row()
            row.label(text="The dream server is installed", icon="CHECKMARK")
            row.operator("deepdream.uninstall_server", text="Uninstall", icon="TRASH")
        else:
            self._draw_offer(box, context, installed)
        if not installed and environment.is_begun():
            box.operator("deepdream.uninstall_server", text="Remove What Was Fetched", icon="TRASH")
        draw_error(box, context, state)
        if state.error:
            box.operator("deepdream.show_install_log", icon="TEXT")

    def _draw_offer(self, box: bpy.types.UILayout, context: bpy.types.Context, installed: bool) -> None:
        said = "This version of the add-on needs a newer dream server" if installed else _OFFER
        wrapped(box, context, said, icon="INFO")
        box.prop(self, "build")
        if not bpy.app.online_access:
            box.label(text="Blender may not go online", icon="INTERNET_OFFLINE")
            box.prop(context.preferences.system, "use_online_access", text="Allow Online Access")
        row = box.row()
        row.scale_y = 1.4
        row.operator(_INSTALL, text="Update Dream Server" if installed else "Install Dream Server", icon="IMPORT")


_OFFER = (
    "Dreams are dreamed by a program of their own, in a folder of its own. It is fetched from pypi.org and "
    "download.pytorch.org: about 200 MB for the CPU, 3 GB for a graphics card. Blender's own Python stays as it is."
)


def _draw_connection(layout: bpy.types.UILayout, context: bpy.types.Context, state: bpy.types.PropertyGroup) -> None:
    row = layout.row()
    row.enabled = not state.running
    row.operator("deepdream.test_connection", icon="LINKED")
    if state.message:
        layout.label(text=shown(state.message), icon="SORTTIME" if state.running else "CHECKMARK")
    draw_error(layout, context, state)


def addon_preferences() -> DeepDreamPreferences | None:
    """Ours; None in a script without the extension."""
    addon = bpy.context.preferences.addons.get(_ADDON)
    return addon.preferences if addon else None


def server_address() -> str:
    """Of the server that the preferences name; empty for our own."""
    chosen = addon_preferences()
    return chosen.url if chosen and chosen.server == "ADDRESS" else ""


def server_choice() -> ServerChoice:
    """The server that the preferences name; without preferences (a script without the extension) our own."""
    chosen = addon_preferences()
    if chosen is None:
        return ServerChoice()
    if chosen.server == "LOCAL":
        return ServerChoice(python=bpy.path.abspath(chosen.python))
    return ServerChoice(url=chosen.url, token_file=bpy.path.abspath(chosen.token_file))


classes = (DeepDreamPreferences,)
