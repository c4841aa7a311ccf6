# SPDX-License-Identifier: GPL-3.0-or-later
"""Close-ups of what views from all around see not at all, or not sharply enough for its texels.

Places on the surface are thrown at random, as many as they have texels; rays tell which camera sees them. The camera
that helps most of those that are starved is taken, then the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mathutils import Vector as Point
from numpy.typing import NDArray

from ..studio import SENSOR, Vector
from .shots import LENS, Shot, aimed
from .stage import Stage

_PLACES, _TRIED, _JUDGES = 1200, 14, 120
"""Places that are thrown; places a close-up may be of, and places that it is judged by."""
_STARVED, _HELPED = 0.5, 1.4
"""Below this share of what a quarter of all places has in sharpness a place is starved; a close-up that is this much
sharper helps it."""
_WORTH_IT = 0.004
"""Share of all places that a close-up must help."""
_GRAZING = 0.2
_TILTS = ((0.0, 0.0), (0.7, 0.0), (-0.7, 0.0), (0.0, 0.7), (0.0, -0.7))
_REACH = 0.22
"""Radius of what a close-up shows, as a share of the whole."""


@dataclass(frozen=True)
class Places:
    """Places on the surface. points, normals: Nx3, world space. density: N, texels for a unit of length, up to a
    factor."""

    points: Vector
    normals: Vector
    texels: Vector
    density: Vector

    def part(self, chosen: NDArray[np.int64]) -> Places:
        return Places(self.points[chosen], self.normals[chosen], self.texels[chosen], self.density[chosen])


def close_ups(stage: Stage, shots: Sequence[Shot], most: int) -> list[Shot]:
    """Up to `most` further shots, at the frame of the first. The stage must stand as it does then."""
    places = throw(stage)
    if not len(places.points) or not most:
        return []
    sharpness = np.max([seen_by(stage, shot, places) for shot in shots], axis=0)
    known = sharpness[sharpness > 0]
    enough = _STARVED * float(np.percentile(known, 75)) if len(known) else 1.0
    random, found = np.random.default_rng(0), []
    radius = float(np.ptp(places.points, axis=0).max()) / 2
    while len(found) < most:
        starved = np.flatnonzero(sharpness < enough)
        if len(starved) < _WORTH_IT * len(sharpness):
            break
        best = _best(stage, places, sharpness, random.permutation(starved), radius, shots[0].frame)
        if best is None:
            break
        now = np.maximum(sharpness, seen_by(stage, best, places))
        # what cannot be seen from anywhere is not asked for again
        if (now[starved] > _HELPED * sharpness[starved]).sum() < _WORTH_IT * len(sharpness):
            break
        sharpness = now
        found.append(best)
    return found


def seen_by(stage: Stage, shot: Shot, places: Places) -> Vector:
    """N: how sharply a shot sees each place, in pixels for a texel up to a factor; 0 for what it does not see."""
    toward = shot.eye - places.points
    far = np.linalg.norm(toward, axis=1)
    cosine = (toward * places.normals).sum(1) / np.maximum(far, 1e-12)
    across = (places.points - shot.eye) @ shot.matrix[:3, :3]
    depth = np.maximum(-across[:, 2], 1e-12)
    # both sides of a surface are seen
    inside = (np.abs(across[:, :2]).max(1) / depth < SENSOR / 2 / LENS) & (across[:, 2] < -shot.near)
    found = np.zeros(len(far))
    for number in np.flatnonzero(inside & (np.abs(cosine) > _GRAZING)):
        side = np.copysign(1.0, cosine[number])
        reach = far[number] * (1 - shot.near / depth[number])  # what lies before that is cut away
        if _is_open(stage, places.points[number], side * places.normals[number], toward[number], reach):
            found[number] = np.abs(cosine[number]) / depth[number] / places.density[number]
    return found


def _is_open(stage: Stage, place: Vector, normal: Vector, toward: Vector, reach: float) -> bool:
    """Whether nothing lies before a place on the way to the eye, as far as it counts. toward: from the place to it."""
    far = float(np.linalg.norm(toward))
    start = Point((place + normal * far * 1e-4).tolist())
    layer = stage.scene.view_layers[0]
    hit, *_ = stage.scene.ray_cast(layer.depsgraph, start, Point((toward / far).tolist()), distance=reach * 0.999)
    return not hit


def _best(
    stage: Stage, places: Places, sharpness: Vector, starved: NDArray[np.int64], radius: float, when: float
) -> Shot | None:
    """The close-up of a starved place that helps most of them."""
    judges = starved[:_JUDGES]
    seen, before = places.part(judges), sharpness[judges]
    best, helped = None, 0.0
    for number in starved[:_TRIED]:
        for tilt in _TILTS:
            shot = _close_up(stage, places.points[number], _tilted(places.normals[number], tilt), radius, when)
            count = float((seen_by(stage, shot, seen) > _HELPED * before).sum())
            if count > helped:
                best, helped = shot, count
    return best


def _close_up(stage: Stage, place: Vector, way: Vector, radius: float, when: float) -> Shot:
    """A shot of what lies about a place, from nearer by if something is in the way."""
    layer = stage.scene.view_layers[0]
    reach = _REACH * radius
    distance = reach * LENS / (SENSOR / 2)
    start = Point((place + way * reach * 0.02).tolist())
    hit, where, *_ = stage.scene.ray_cast(layer.depsgraph, start, Point(way.tolist()), distance=distance * 1.1)
    if hit:
        reach *= max(0.2, 0.85 * float(np.linalg.norm(np.array(where) - place)) / distance)
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    shot = aimed(way, place + reach * corners, when)
    return Shot(when, shot.matrix, reach * 0.02, max(shot.far, 4 * radius))


def _tilted(normal: Vector, tilt: tuple[float, float]) -> Vector:
    first = np.cross(normal, (0.0, 0.0, 1.0) if abs(normal[2]) < 0.9 else (1.0, 0.0, 0.0))
    first = first / np.linalg.norm(first)
    way: Vector = normal + tilt[0] * first + tilt[1] * np.cross(normal, first)
    return way / np.linalg.norm(way)


def throw(stage: Stage, count: int = _PLACES) -> Places:
    """Places on the copies as they are rendered, each texel as likely as any other."""
    found = [_triangles(stage, number) for number in range(len(stage.copies))]
    corners, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(crossed, axis=1) / 2
    sides = places[:, 1:] - places[:, :1]
    texels = np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]) / 2
    good = np.isfinite(areas) & np.isfinite(texels) & (areas > 0) & (texels > 0)
    corners, places, crossed, areas, texels = (values[good] for values in (corners, places, crossed, areas, texels))
    if not len(areas):
        return Places(np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 2)), np.empty(0))
    sums = np.cumsum(texels / texels.sum())
    chosen = np.searchsorted(sums, (np.arange(count) + 0.5) / count).clip(max=len(sums) - 1)
    shares = np.random.default_rng(1).dirichlet((1, 1, 1), count)[:, :, None]
    points, found = (corners[chosen] * shares).sum(1), (places[chosen] * shares).sum(1)
    normals = crossed[chosen] / (2 * areas[chosen])[:, None]
    return Places(points, normals, found, np.sqrt(texels[chosen] / areas[chosen]))


def _triangles(stage: Stage, number: int) -> tuple[Vector, Vector]:
    """Nx3x3 corners in world space, and Nx3x2 on the sheet, of one copy."""
    layer, copy = stage.scene.view_layers[0], stage.copies[number]
    shown = copy.evaluated_get(layer.depsgraph)
    mesh = shown.to_mesh()
    try:
        mesh.calc_loop_triangles()
        count = len(mesh.loop_triangles)
        loops, corners = np.empty(count * 3, np.int32), np.empty(count * 3, np.int32)
        mesh.loop_triangles.foreach_get("loops", loops)
        mesh.loop_triangles.foreach_get("vertices", corners)
        points, places = np.empty(len(mesh.vertices) * 3, np.float32), np.zeros(len(mesh.loops) * 2, np.float32)
        mesh.vertices.foreach_get("co", points)
        if found := mesh.uv_layers.get(stage.plan.targets[number].layer):
            found.uv.foreach_get("vector", places)
    finally:
        shown.to_mesh_clear()
    turned = np.array(shown.matrix_world)
    world = points.reshape(-1, 3)[corners] @ turned[:3, :3].T + turned[:3, 3]
    return world.reshape(-1, 3, 3), places.reshape(-1, 2)[loops].reshape(-1, 3, 2).astype(np.float64)
