# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a scene through its DeepDream nodes.

    blender -b scene.blend -P scripts/render.py -- --frames 1-8 --output //out/####.png
    python scripts/render.py scene.blend --frames 1-8 --output //out/####.png        (with the bpy wheel)

The work is in blender_deepdream/addon/batch.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

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


def main() -> int:
    deepdream = package()
    ours = not hasattr(bpy.types.NodeTree, "deepdream")
    if ours:
        deepdream.register()
        for name in ("bin/python", "Scripts/python.exe"):
            if (ROOT / ".venv" / name).is_file():
                os.environ.setdefault("DEEPDREAM_PYTHON", str(ROOT / ".venv" / name))
    if bpy.app.binary_path and "--" not in sys.argv:
        arguments = []
    else:
        arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    try:
        from importlib import import_module

        return int(import_module(f"{deepdream.__name__}.addon.batch").main(arguments))
    finally:
        if ours:
            deepdream.unregister()


if __name__ == "__main__":
    sys.exit(main())
