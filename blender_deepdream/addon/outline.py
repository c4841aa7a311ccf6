# SPDX-License-Identifier: GPL-3.0-or-later
"""The points of a subject that lie outermost: what a camera must see to see all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import bpy
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
WITH_FACES = {"MESH", "CURVE", "SURFACE", "META", "FONT"}
_BOXED = {"CURVES", "POINTCLOUD", "VOLUME"}
VISIBLE = WITH_FACES | _BOXED | {"EMPTY"}
"""Types of objects that a render may show; empties for the collections that they show copies of."""
_DIRECTIONS = 200


def outline(depsgraph: bpy.types.Depsgraph, of: Collection[bpy.types.Object] | None = None) -> Points:
    """The outermost points, in world space, of all that is visible in an evaluated scene: Nx3, N = 0 if nothing is.

    of: the objects that are meant, with what they show copies of; None: all.
    """
    found = list(_outlines(depsgraph, of))
    return _outermost(np.concatenate(found)) if found else np.empty((0, 3))


def _outlines(depsgraph: bpy.types.Depsgraph, of: Collection[bpy.types.Object] | None) -> Iterator[Points]:
    """Of each visible copy of each object."""
    own: dict[tuple[int, int], Points] = {}
    for copy in depsgraph.object_instances:
        shown = copy.object
        if shown.type not in WITH_FACES | _BOXED or (of is not None and (copy.parent or shown).original not in of):
            continue
        if (key := content_key(shown)) not in own:
            own[key] = _own_outline(shown)
        if len(own[key]):
            turned = np.array(copy.matrix_world)
            yield own[key] @ turned[:3, :3].T + turned[:3, 3]


def content_key(shown: bpy.types.Object) -> tuple[int, int]:
    """Tells evaluated objects apart by what they show, as long as a depsgraph stands: geometry nodes show other things
    as copies of the same object. An evaluated object's own session_uid is 0."""
    return shown.original.session_uid, shown.data.as_pointer() if shown.data else 0


def _own_outline(shown: bpy.types.Object) -> Points:
    """Of one object, in its own space; nothing for one without faces."""
    if shown.type in _BOXED:
        return np.array(shown.bound_box, np.float64)
    mesh = shown.to_mesh()
    try:
        if mesh is None or not len(mesh.polygons):
            return np.empty((0, 3))
        flat = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", flat)
    finally:
        shown.to_mesh_clear()
    points = flat.reshape(-1, 3).astype(np.float64)
    return _outermost(points[np.isfinite(points).all(1)])


def _outermost(points: Points) -> Points:
    """Of many points, those that lie farthest in some direction, of as many as make no difference to a picture."""
    if len(points) <= _DIRECTIONS:
        return points
    return points[np.unique((points @ _sphere().T).argmax(0))]


def _sphere() -> Points:
    """Directions that lie evenly on a sphere (a Fibonacci lattice), with the six axes."""
    height = 1 - 2 * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    turn, width = np.arange(_DIRECTIONS) * np.pi * (3 - np.sqrt(5)), np.sqrt(1 - height**2)
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    return np.concatenate([np.stack([width * np.cos(turn), width * np.sin(turn), height], 1), axes])
