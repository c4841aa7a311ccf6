# SPDX-License-Identifier: GPL-3.0-or-later
"""A UV map for the dream alone, where the artist's is missing or lies over itself."""

from __future__ import annotations

import math

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.errors import SceneError
from .targets import OWN_LAYER

_ANGLE, _MARGIN = math.radians(66), 0.006


def unwrap(scene: bpy.types.Scene, item: bpy.types.Object) -> None:
    """Give a copy of a mesh, in a scene of its own, a UV map named OWN_LAYER. Raises SceneError."""
    mesh = item.data
    layer = mesh.uv_layers.get(OWN_LAYER) or mesh.uv_layers.new(name=OWN_LAYER, do_init=False)
    if layer is None:
        raise SceneError(f"{item.name!r} has as many UV maps as Blender allows.", "Remove one of them.")
    mesh.uv_layers.active = layer
    view_layer = scene.view_layers[0]
    for other in view_layer.objects:
        other.select_set(other == item, view_layer=view_layer)
    view_layer.objects.active = item
    context = {"scene": scene, "view_layer": view_layer, "object": item, "active_object": item}
    with bpy.context.temp_override(**context):
        bpy.ops.object.mode_set(mode="EDIT")
    with bpy.context.temp_override(**context, edit_object=item):
        bpy.ops.mesh.reveal()
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.uv.smart_project(angle_limit=_ANGLE, island_margin=_MARGIN, area_weight=0.5)
    with bpy.context.temp_override(**context):
        bpy.ops.object.mode_set(mode="OBJECT")


def read_layer(mesh: bpy.types.Mesh, name: str) -> NDArray[np.float32]:
    """Places of all corners, flat."""
    places = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[name].uv.foreach_get("vector", places)
    return places


def write_layer(mesh: bpy.types.Mesh, name: str, places: NDArray[np.float32]) -> None:
    """Put a map into the artist's mesh, which keeps its active ones. Raises SceneError if the mesh has changed."""
    if len(places) != len(mesh.loops) * 2:
        raise SceneError(f"The mesh {mesh.name!r} was changed while it dreamed.", "Dream it again.")
    active, rendered = mesh.uv_layers.active_index, [layer.active_render for layer in mesh.uv_layers]
    layer = mesh.uv_layers.get(name) or mesh.uv_layers.new(name=name, do_init=False)
    layer.uv.foreach_set("vector", places)
    if rendered:
        mesh.uv_layers.active_index = active
        for found, was in zip(mesh.uv_layers, rendered, strict=False):
            found.active_render = was
