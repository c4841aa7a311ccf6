# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the frames of a scene as pictures that a screen shows: `turntable.py SCENE.blend OUT`, OUT/####.png.

What is there already is left alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy


def main(blend: Path, out: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()))
    render = bpy.context.scene.render
    render.use_overwrite, render.filepath = False, str(out.resolve() / "####.png")
    bpy.ops.render.render(animation=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
