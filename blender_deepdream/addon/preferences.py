# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the dream server is: one of our own, or one that runs somewhere."""

from __future__ import annotations

import bpy

from .runtime import PYTHON_VARIABLE, ServerChoice

_ADDON = __package__.removesuffix(".addon")


class DeepDreamPreferences(bpy.types.AddonPreferences):
    bl_idname = _ADDON

    server: bpy.props.EnumProperty(
        name="Dream Server",
        items=(
            ("LOCAL", "Own", "The add-on starts a server on this machine and ends it with Blender"),
            ("ADDRESS", "At Address", "A server that runs already, here or on another machine"),
        ),
    )
    python: bpy.props.StringProperty(
        name="Python",
        description=f"Interpreter of the environment that the server is installed in; empty: {PYTHON_VARIABLE}",
        subtype="FILE_PATH",
    )
    url: bpy.props.StringProperty(name="Address", description="For example http://127.0.0.1:8470")
    token_file: bpy.props.StringProperty(
        name="Token File", description="The file that the server named when it started", subtype="FILE_PATH"
    )

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.row().prop(self, "server", expand=True)
        if self.server == "LOCAL":
            layout.prop(self, "python")
            return
        layout.prop(self, "url")
        layout.prop(self, "token_file")
        if self.url.startswith("http://") and not self.url.startswith(("http://127.", "http://localhost")):
            layout.label(text="The token crosses the network unencrypted: use https or a tunnel", icon="ERROR")


def server_choice() -> ServerChoice:
    """The server that the preferences name; without preferences (a script without the extension) our own."""
    addon = bpy.context.preferences.addons.get(_ADDON)
    if addon is None or addon.preferences is None:
        return ServerChoice()
    chosen = addon.preferences
    if chosen.server == "LOCAL":
        return ServerChoice(python=bpy.path.abspath(chosen.python))
    return ServerChoice(url=chosen.url, token_file=bpy.path.abspath(chosen.token_file))


classes = (DeepDreamPreferences,)
