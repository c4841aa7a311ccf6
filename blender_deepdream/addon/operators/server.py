# SPDX-License-Identifier: GPL-3.0-or-later
"""The dream server as artists get it: install, update, remove, and try whether it answers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import bpy

from ...protocol.errors import InputError, ServerUnavailableError
from .. import environment, runtime
from ..activity import all_work
from ..languages import reported
from ..preferences import addon_preferences
from .running import CancelOperator, Steps, WorkOperator, connector, redraw, told_at_once

if TYPE_CHECKING:
    from ...protocol.client import DreamClient

_HUNG_SECONDS = 0.2
"""For a server that is to be replaced: a window stands still meanwhile, and it may never answer."""


class DEEPDREAM_OT_install_server(WorkOperator, bpy.types.Operator):
    """Fetch the dream server into an environment of its own; Blender's own Python stays as it is"""

    bl_idname = "deepdream.install_server"
    bl_label = "Install Dream Server"

    activity: ClassVar[str] = "server"
    busy: ClassVar[str] = "It is being installed: wait, or cancel"
    kept: ClassVar[str] = "What was fetched is kept: installing again goes on."
    escapes: ClassVar[bool] = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not bpy.app.online_access:
            cls.poll_message_set(reported("Allow Online Access first: Preferences > System > Network"))
            return False
        return super().poll(context)

    def make_steps(self, _context: bpy.types.Context, patience: float) -> Steps:
        chosen = addon_preferences()
        if chosen is None:
            raise InputError("The add-on has no preferences here.", "Install it as an extension.")
        runtime.stop()
        return environment.install(environment.folder(), chosen.build, patience)


class DEEPDREAM_OT_cancel_install(CancelOperator, bpy.types.Operator):
    """Stop installing; what was fetched is kept"""

    bl_idname = "deepdream.cancel_install"
    bl_label = "Cancel"

    work = DEEPDREAM_OT_install_server
    idle = "Nothing is being installed"


class DEEPDREAM_OT_uninstall_server(bpy.types.Operator):
    """Remove the dream server's environment; brains, pictures and dreams stay"""

    bl_idname = "deepdream.uninstall_server"
    bl_label = "Uninstall Dream Server"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.window_manager.deepdream.server.running:
            cls.poll_message_set(reported("It is being installed: cancel that first"))
            return False
        if environment.is_removing():
            cls.poll_message_set(reported("It is being removed: that takes a moment"))
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        words = {"message": "Brains, pictures and dreams stay.", "confirm_text": "Remove It"}
        return context.window_manager.invoke_confirm(self, event, title=self.bl_label, **words)

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        runtime.stop()
        removal = environment.uninstall()
        context.window_manager.deepdream.connection.message = ""
        redraw(context)
        if bpy.app.background:
            removal.join()


class DEEPDREAM_OT_show_install_log(bpy.types.Operator):
    """Show all that was said while the dream server was installed"""

    bl_idname = "deepdream.show_install_log"
    bl_label = "Show Log"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not environment.log_path().is_file():
            cls.poll_message_set(reported("Nothing has been installed here yet"))
            return False
        return True

    @told_at_once
    def execute(self, _context: bpy.types.Context) -> None:
        path = environment.log_path()
        try:
            bpy.ops.wm.path_open(filepath=str(path))
        except RuntimeError as error:
            raise InputError(f"This system has no program that opens {path}.", "Open it with a text editor.") from error


class DEEPDREAM_OT_restart_server(bpy.types.Operator):
    """End the add-on's own dream server, which may hang; the next dream starts another and finds what was finished"""

    bl_idname = "deepdream.restart_server"
    bl_label = "Restart Dream Server"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not runtime.is_running():
            cls.poll_message_set(reported("The add-on has no dream server of its own that runs"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        runtime.stop(_HUNG_SECONDS)
        for work in all_work(context.window_manager.deepdream):
            if work.code == ServerUnavailableError.code:
                work.error = ""
        redraw(context)
        self.report({"INFO"}, reported("The dream server was ended: the next dream starts another."))
        return {"FINISHED"}


@dataclass(frozen=True)
class _Told:
    text: str
    fraction: float = 0.0
    note: str = ""


class DEEPDREAM_OT_test_connection(WorkOperator, bpy.types.Operator):
    """Reach the dream server, starting it if it is Blender's own, and say what it can do"""

    bl_idname = "deepdream.test_connection"
    bl_label = "Test Connection"

    activity: ClassVar[str] = "connection"
    busy: ClassVar[str] = "It is being tried"
    kept: ClassVar[str] = ""

    def make_steps(self, _context: bpy.types.Context, patience: float) -> Steps:
        return _try(connector(), patience)


def _try(connect: Callable[[], DreamClient], patience: float) -> Generator[_Told, None, None]:
    from ..task import Asking

    summary = yield from Asking(lambda: _summary(connect())).answer(patience, _Told("Asking the dream server"))
    yield _Told(summary, 1.0)


def _summary(client: DreamClient) -> str:
    health = client.health()
    brains = len(client.brains())
    device = f"it dreams on {health['device']}" if health.get("device") else "its worker is still starting"
    return f"It answers: {device} and has {brains} brain{'s' * (brains != 1)}."


classes = (
    DEEPDREAM_OT_install_server,
    DEEPDREAM_OT_cancel_install,
    DEEPDREAM_OT_uninstall_server,
    DEEPDREAM_OT_show_install_log,
    DEEPDREAM_OT_restart_server,
    DEEPDREAM_OT_test_connection,
)
