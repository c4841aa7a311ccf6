# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the frames of a scene as pictures that a screen shows: `turntable.py SCENE.blend OUT`, OUT/####.png.

What is there already is left alone. Tells of each frame; what Blender says of its own goes to standard error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy


def main(blend: Path, out: Path) -> None:
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as told:
        os.dup2(2, 1)

        def tell(scene: Any, *_: object) -> None:
            print(f"frame {scene.frame_current} of {scene.frame_end}", file=told, flush=True)

        bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()))
        render = bpy.context.scene.render
        render.use_overwrite, render.filepath = False, str(out.resolve() / "####.png")
        bpy.app.handlers.render_write.append(tell)
        try:
            bpy.ops.render.render(animation=True)
        finally:
            bpy.app.handlers.render_write.remove(tell)  # left there, it crashes Blender 4.2 at its end


if __name__ == "__main__":
    main(*map(Path, sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
