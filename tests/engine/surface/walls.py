# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of a flat wall as Blender would render them, made without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image

from ..exr_files import write_channels

SIDE = 64
Array = NDArray[np.float32]


def write_view(
    folder: Path,
    number: int = 0,
    *,
    light: float = 0.8,
    seen: float = 1.0,
    sheets: int = 2,
    drop: str = "",
    facts_side: int = SIDE,
    damaged: bool = False,
    turned: bool = False,
    alpha: float = 1.0,
    bent: bool = False,
) -> list[Path]:
    """dark, light and facts. The wall fills the picture: its left half is sheet 1, its right half the last one.

    light: how much falls on it. seen: the share of its height that the view shows, from below. drop: a pass that is
    missing. damaged: whether some numbers are none. turned: whether the right half lies upside down on its sheet, and
    apart from the left. alpha: how much the wall covers of its upper half, 0 also where nothing of it is there.
    bent: whether its normals turn from left to right, by half a radian to each side, and light comes from the right.
    """
    paths = [folder / f"{number}-{name}.exr" for name in ("dark", "light", "facts")]
    for path, value in zip(paths[:2], (0.01, 0.01 + light), strict=True):
        pixels = np.full((SIDE, SIDE, 4), value, np.float32)
        if bent:
            pixels[..., :3] *= 0.6 + 0.5 * np.sin(_turn(SIDE))[None, :, None]
        pixels[..., 3] = 1
        pixels[: SIDE // 2] *= alpha
        if damaged:
            pixels[3, 3] = np.nan
        write_image(Image(pixels), path)
    channels = _facts(facts_side, seen, sheets, drop, damaged, turned)
    if not alpha:
        channels["ViewLayer.IndexMA.X"][: facts_side // 2] = 0
    if bent:
        turn = np.tile(_turn(facts_side), (facts_side, 1))
        channels |= {"ViewLayer.Normal.X": np.sin(turn), "ViewLayer.Normal.Z": np.cos(turn)}
    write_channels(paths[2], channels)
    return paths


def _turn(side: int) -> Array:
    """By how much each column's normal is turned to the right."""
    return ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)


def _facts(side: int, seen: float, sheets: int, drop: str, damaged: bool, turned: bool) -> dict[str, Array]:
    rows, columns = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5) / side
    u, v = columns * 2 % 1, (1 - rows) * seen
    if turned:
        right = columns >= 0.5
        u, v = np.where(right, columns, columns * 0.8), np.where(right, 1 - v, v) * 0.8 + 0.1
    if damaged:
        u[5, 5:9] = np.inf
    zero, one = np.zeros_like(u), np.ones_like(u)
    index = np.where(columns < 0.5, 1, sheets).astype(np.float32)
    passes = {
        "UV": ({"U": u, "V": v, "A": one}),
        "Normal": {"X": zero, "Y": zero, "Z": one},
        "Position": {"X": columns - 0.5, "Y": 0.5 - rows, "Z": zero},
        "IndexMA": {"X": index},
    }
    return {
        f"ViewLayer.{name}.{axis}": values
        for name, axes in passes.items()
        if name != drop
        for axis, values in axes.items()
    }
