# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: install the zip, dream a frame with it, switch it off, and print as JSON what is left of it.

Started by test_extension.py with BLENDER_USER_RESOURCES set: ZIP SCENE.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import types
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

NAME = "bl_ext.user_default.blender_deepdream"


def main() -> None:
    zip_path, blend = sys.argv[-2:]
    bpy.ops.wm.open_mainfile(filepath=blend)
    before = traces()
    bpy.ops.extensions.package_install_files(filepath=zip_path, repo="user_default", enable_on_install=True)
    enabled = traces()
    found: dict[str, Any] = {"while enabled": difference(before, enabled), "error": dream()}
    found["server's own code"] = bool(list(Path(module("").__file__).parent.glob("server/__pycache__/*.pyc")))
    found["children while enabled"] = len(children())
    functions, command = own_functions(), module("addon.commands").handles
    bpy.ops.preferences.addon_disable(module=NAME)
    found["left behind"] = difference(before, traces())
    found["timers"] = [function.__qualname__ for function in functions if bpy.app.timers.is_registered(function)]
    found["command"] = bool(command)
    bpy.ops.preferences.addon_enable(module=NAME)
    found["while enabled again"] = difference(before, traces())
    bpy.ops.preferences.addon_disable(module=NAME)
    found["left behind again"] = difference(before, traces())
    print("\n" + json.dumps(found), flush=True)


def dream() -> str:
    scene = bpy.context.scene
    group = module("addon.node").insert_before_output(scene).node_tree
    group.deepdream.steps = group.deepdream.octaves = 1
    outcome = bpy.ops.deepdream.dream_frame()
    return "" if outcome == {"FINISHED"} else bpy.context.window_manager.deepdream.error or str(outcome)


def module(name: str) -> Any:
    return import_module(f"{NAME}.{name}".rstrip("."))


def traces() -> dict[str, list[str]]:
    """Everything that an add-on can leave in Blender, each thing by a name."""
    gc.collect()
    known = [(name, getattr(bpy.types, name)) for name in dir(bpy.types)]
    rna = [(name, kind) for name, kind in known if hasattr(kind, "bl_rna")]
    handlers = [(name, getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers)]
    return {
        "classes": [name for name, _ in rna],
        "properties": [f"{name}.{prop.identifier}" for name, kind in rna for prop in kind.bl_rna.properties],
        "handlers": [
            f"{name}: {one.__qualname__}" for name, all_ in handlers if isinstance(all_, list) for one in all_
        ],
        "menu entries": [f"{name}: {one.__qualname__}" for name, kind in rna for one in draw_functions(kind)],
        "operators": [f"deepdream.{name}" for name in dir(bpy.ops.deepdream)],
        "preferences": [name for name in bpy.context.preferences.addons.keys() if "deepdream" in name],  # noqa: SIM118
        "threads": [thread.name for thread in threading.enumerate()],
        "children": children(),
    }


def draw_functions(kind: type) -> list[Any]:
    """What add-ons have appended to a menu or panel; Blender's own stands in the list too."""
    functions = getattr(getattr(kind, "draw", None), "_draw_funcs", [])
    return [function for function in functions if not function.__module__.startswith("bl_ui")]


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def own_functions() -> list[types.FunctionType]:
    functions = (item for item in gc.get_objects() if isinstance(item, types.FunctionType))
    return [function for function in functions if (function.__module__ or "").startswith(NAME)]


def difference(before: dict[str, list[str]], now: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is there now and was not before."""
    new = {kind: sorted(set(now[kind]) - set(before[kind])) for kind in now}
    return {kind: names for kind, names in new.items() if names}


if __name__ == "__main__":
    code = 1
    try:
        main()
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if code == 0:
            os._exit(0)  # the bpy wheels up to 4.5 crash or hang while Python ends once any class was registered
