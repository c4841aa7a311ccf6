# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a scene through its DeepDream nodes.

    blender -b scene.blend -P scripts/render.py -- --frames 1-8 --output //out/####.png
    python scripts/render.py scene.blend --frames 1-8 --output //out/####.png        (with the bpy wheel)

The work is in blender_deepdream/addon/batch.py.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import bpy

ROOT = Path(__file__).resolve().parent.parent


def package() -> ModuleType:
    """The installed extension if it is enabled in this Blender, else the package beside this script."""
    installed = [module for name, module in sys.modules.items() if name.endswith(".blender_deepdream")]
    if installed:
        return installed[0]
    sys.path.insert(0, str(ROOT))
    import blender_deepdream

    return blender_deepdream


def arguments() -> list[str]:
    """Ours: after `--` in Blender's own command line, all of them under plain Python."""
    if "--" in sys.argv:
        return sys.argv[sys.argv.index("--") + 1 :]
    return [] if bpy.app.binary_path else sys.argv[1:]


def main(command: str) -> int:
    """Run one of the add-on's command lines: the name of its module. Returns the exit code."""
    deepdream = package()
    ours = not hasattr(bpy.types.NodeTree, "deepdream")
    if ours:
        deepdream.register()
        for name in ("bin/python", "Scripts/python.exe"):
            if (ROOT / ".venv" / name).is_file():
                os.environ.setdefault("DEEPDREAM_PYTHON", str(ROOT / ".venv" / name))
    try:
        return int(import_module(f"{deepdream.__name__}.addon.{command}").main(arguments()))
    finally:
        if ours:
            deepdream.unregister()


def end(code: int) -> NoReturn:
    """Leave Blender, or Python."""
    if not bpy.app.binary_path:
        # the bpy wheels up to 4.5 crash or hang while Python ends once any class was registered; all is closed by now
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    end(main("batch"))
