# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a mesh's UV map can hold a texture of its own: no part of it lies over another, none has no area."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

_CELLS, _SAMPLES = 192, 48
"""Cells along each side of the map, and how many samples each gets where it is covered once."""
_MANY, _MOST = 1.6, 0.03
"""A cell is covered twice if it gets this many times its samples; and this share of such cells is too many."""
_EMPTY = 0.02
"""Share of the surface that may have no area in the map."""

Array = NDArray[np.float64]


def uv_fault(mesh: bpy.types.Mesh) -> str:
    """What is wrong with the map that renders use, as words after "its UV map"; empty if nothing is."""
    layer = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    if layer is None:
        return "is missing"
    corners, areas = _triangles(mesh, layer)
    if not len(corners):
        return ""
    if not np.isfinite(corners).all():
        return "is damaged"
    sizes = _areas(corners)
    if areas[sizes < 1e-12].sum() > _EMPTY * areas.sum():
        return "gives parts of the surface no area"
    if np.floor(corners.mean(1)).any() and np.ptp(np.floor(corners.mean(1)), axis=0).any():
        return "has several tiles (UDIM) or repeats"
    return "lies over itself" if _overlap(corners, sizes) > _MOST else ""


def _triangles(mesh: bpy.types.Mesh, layer: bpy.types.MeshUVLoopLayer) -> tuple[Array, Array]:
    """Corners in the map, Nx3x2, and areas on the surface, N."""
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    loops, areas = np.empty(count * 3, np.int32), np.empty(count, np.float32)
    mesh.loop_triangles.foreach_get("loops", loops)
    mesh.loop_triangles.foreach_get("area", areas)
    places = np.empty(len(mesh.loops) * 2, np.float32)
    layer.uv.foreach_get("vector", places)
    return places.reshape(-1, 2)[loops].reshape(-1, 3, 2).astype(np.float64), areas.astype(np.float64)


def _areas(corners: Array) -> Array:
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    sizes: Array = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    return sizes


def _overlap(corners: Array, sizes: Array) -> float:
    """The share of the covered cells that are covered more than once, found by throwing points at the triangles."""
    # a hundred times around the map is covered often enough to be known from a part of the points
    count = int(min(sizes.sum(), 4.0) * _CELLS**2 * _SAMPLES)
    if not count:
        return 0.0
    random = np.random.default_rng(0)
    chosen = np.searchsorted(np.cumsum(sizes / sizes.sum()), (np.arange(count) + 0.5) / count).clip(max=len(sizes) - 1)
    along, across = random.random((2, count))
    beyond = along + across > 1
    along[beyond], across[beyond] = 1 - along[beyond], 1 - across[beyond]
    origin, first, second = (corners[chosen, corner] for corner in range(3))
    points = origin + along[:, None] * (first - origin) + across[:, None] * (second - origin)
    cells = (points % 1 * _CELLS).astype(np.int64).clip(0, _CELLS - 1)
    hits = np.bincount(cells[:, 1] * _CELLS + cells[:, 0], minlength=_CELLS**2)
    return float((hits > _MANY * _SAMPLES).sum() / max((hits > 0.5 * _SAMPLES).sum(), 1))
