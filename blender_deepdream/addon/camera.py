# SPDX-License-Identifier: GPL-3.0-or-later
"""How the background moves: it has no motion vectors, but where a camera turns it moves all the same."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from . import changes

_TO_FRACTIONS = np.array(((0.5, 0, 0.5), (0, -0.5, 0.5), (0, 0, 1)))
"""From a camera's own -1 to 1, y up, to fractions of width and height from the top left."""


def view(scene: bpy.types.Scene) -> NDArray[np.float64] | None:
    """From a direction in the world to where the current frame shows it, as fractions: a 3x3 homography.

    None for a camera without perspective, to which a background is not a picture that moves.
    """
    camera, render = scene.camera, scene.render
    if camera is None or camera.type != "CAMERA" or camera.data.type != "PERSP":
        return None
    with changes.not_counted():
        scene.view_layers[0].update()
    depsgraph = scene.view_layers[0].depsgraph or bpy.context.evaluated_depsgraph_get()
    seen = camera.evaluated_get(depsgraph)
    aspect = {"scale_x": render.pixel_aspect_x, "scale_y": render.pixel_aspect_y}
    projection = np.array(seen.calc_matrix_camera(depsgraph, x=render.resolution_x, y=render.resolution_y, **aspect))
    rotation = np.array(seen.matrix_world.to_3x3().normalized())
    return _border(render) @ _TO_FRACTIONS @ projection[np.ix_((0, 1, 3), (0, 1, 2))] @ rotation.T


def _border(render: bpy.types.RenderSettings) -> NDArray[np.float64]:
    """From fractions of the frame to those of its border, to which passes are cropped."""
    if not render.use_border:
        return np.eye(3)
    width, height = render.border_max_x - render.border_min_x, render.border_max_y - render.border_min_y
    left, top = render.border_min_x, 1 - render.border_max_y
    return np.array(((1 / width, 0, -left / width), (0, 1 / height, -top / height), (0, 0, 1)))


def turn(now: NDArray[np.float64] | None, before: NDArray[np.float64] | None) -> tuple[float, ...] | None:
    """What two frames' `view` come to: from a place in the frame now to that of the same direction in the one before.

    Nine numbers, row by row, fractions of width and height from the top left; None if a view is missing.
    """
    if now is None or before is None:
        return None
    matrix = before @ np.linalg.inv(now)
    return tuple(float(number) for number in (matrix / matrix[2, 2]).flatten())
