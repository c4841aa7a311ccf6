# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in Blender's window: draws words as Blender's interface draws them, for the hand at the mouse to look for.

The hand writes them to `words` in GUISHOT_DIR; their picture, `words.pgm`, comes to lie beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

import blf
import bpy
import gpu
import numpy as np
from mathutils import Matrix

FOLDER = Path(os.environ["GUISHOT_DIR"])
_HEIGHT, _BASE, _MARGIN = 24, 7, 3


def answer() -> float:
    """Called again and again by a timer."""
    asked = FOLDER / "words"
    if asked.is_file():
        text = asked.read_text("utf-8").strip()
        asked.unlink()
        _write(_drawn(text))
    return 0.05


def _drawn(text: str) -> np.ndarray:
    """White on black, one byte a pixel, from the top."""
    blf.size(0, bpy.context.preferences.ui_styles[0].widget.points * bpy.context.preferences.system.ui_scale)
    width = int(blf.dimensions(0, text)[0]) + 2 * _MARGIN
    canvas = gpu.types.GPUOffScreen(width, _HEIGHT)
    with canvas.bind(), gpu.matrix.push_pop():
        shown = gpu.state.active_framebuffer_get()
        shown.clear(color=(0, 0, 0, 1))
        gpu.matrix.load_matrix(Matrix.Identity(4))
        rows = ((2 / width, 0, 0, -1), (0, 2 / _HEIGHT, 0, -1), (0, 0, -1, 0), (0, 0, 0, 1))
        gpu.matrix.load_projection_matrix(Matrix(rows))
        blf.position(0, _MARGIN, _BASE, 0)
        blf.color(0, 1, 1, 1, 1)
        blf.draw(0, text)
        pixels = shown.read_color(0, 0, width, _HEIGHT, 1, 0, "UBYTE").to_list()
    canvas.free()
    return np.array(pixels, np.uint8).reshape(_HEIGHT, width)[::-1]


def _write(picture: np.ndarray) -> None:
    height, width = picture.shape
    temporary = FOLDER / "words.new"
    temporary.write_bytes(b"P5 %d %d 255\n" % (width, height) + picture.tobytes())
    temporary.replace(FOLDER / "words.pgm")
