# SPDX-License-Identifier: GPL-3.0-or-later
"""What the views of a surface depend on, as one hash: shapes, places, UV maps, materials, lights.

By content, not by the .blend's hash: a dream changes a material itself, and must not have its views rendered again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..changes import file_hash, simple_values
from ..outline import WITH_FACES, content_key
from .color_input import color_input, is_ours, original_input
from .relief_output import displacement_input
from .shots import Moment
from .stage import Stage
from .targets import find_material

_SEEN = (
    *("visible_camera", "visible_diffuse", "visible_glossy", "visible_transmission", "visible_shadow"),
    *("visible_volume_scatter", "is_holdout", "is_shadow_catcher", "pass_index"),
)
"""What changes how an object is rendered, beside its shape, place and materials."""


def stage_hash(stage: Stage, moments: Sequence[Moment], *more: object) -> str:
    """more: what else they depend on, as values whose repr tells all."""
    digest = hashlib.sha256(repr((more, bpy.app.version_string)).encode())
    layer = stage.scene.view_layers[0]
    for moment in moments:
        stage.at(moment)
        for target, copy in zip(stage.plan.targets, stage.copies, strict=True):
            digest.update(repr((target.layer, target.sheets, [list(row) for row in copy.matrix_world])).encode())
            _add_mesh(digest, copy.evaluated_get(layer.depsgraph))
        if stage.surroundings:
            _add_surroundings(digest, layer.depsgraph, stage.copies)
    for sheet in stage.plan.sheets:
        material = find_material(sheet.material)
        if material is not None:
            digest.update(repr(_material(material)).encode())
    return digest.hexdigest()


def light_facts(scene: bpy.types.Scene) -> list[Any]:
    """Of the lights of a scene and its world."""
    lights = [item for item in scene.objects if item.type == "LIGHT" and not item.hide_render]
    found: list[Any] = [[simple_values(item.data), [list(row) for row in item.matrix_world]] for item in lights]
    if scene.world:
        found += [simple_values(scene.world), _tree(scene.world.node_tree)]
    return found


def _add_surroundings(digest: Any, depsgraph: bpy.types.Depsgraph, but: Collection[bpy.types.Object]) -> None:
    """All that is visible but these objects; each once by its content, and where all copies of it stand."""
    known: set[tuple[int, int]] = set()
    for instance in depsgraph.object_instances:
        shown = instance.object
        if (instance.parent or shown).original in but or shown.type == "CAMERA":
            continue
        digest.update(repr((shown.name_full, [list(row) for row in instance.matrix_world])).encode())
        if (key := content_key(shown)) not in known:
            known.add(key)
            _add_content(digest, shown)


def _add_content(digest: Any, shown: bpy.types.Object) -> None:
    seen = [(name, getattr(shown, name)) for name in _SEEN]
    digest.update(repr((seen, list(shown.color))).encode())
    if shown.type in WITH_FACES:
        _add_mesh(digest, shown)
    elif shown.data:
        digest.update(repr(simple_values(shown.data)).encode())
    for material in (slot.material for slot in shown.original.material_slots if slot.material):
        digest.update(repr((simple_values(material), _tree(material.node_tree))).encode())


def _add_mesh(digest: Any, shown: bpy.types.Object) -> None:
    mesh = shown.to_mesh()
    if mesh is None:  # a curve or a metaball that comes to nothing
        return
    try:
        _add(digest, mesh.vertices, "co", 3, np.float32)
        _add(digest, mesh.loops, "vertex_index", 1, np.int32)
        _add(digest, mesh.polygons, "material_index", 1, np.int32)
        for layer in mesh.uv_layers:
            digest.update(repr((layer.name, layer.active_render)).encode())
            _add(digest, layer.uv, "vector", 2, np.float32)
        for painted in mesh.color_attributes:
            digest.update(repr((painted.name, painted.domain)).encode())
            _add(digest, painted.data, "color", 4, np.float32)
    finally:
        shown.to_mesh_clear()


def _add(digest: Any, items: Any, name: str, width: int, kind: type) -> None:
    values = np.empty(len(items) * width, kind)
    items.foreach_get(name, values)
    digest.update(values.tobytes())


def _material(material: bpy.types.Material) -> list[Any]:
    """The same before and after a dream: the base colour and the displacement are told by themselves."""
    original = original_input(material)
    if original.is_linked:
        link = original.links[0]
        base: list[Any] = [link.from_node.name, link.from_socket.identifier]
    else:
        base = list(original.default_value)
    displacement = displacement_input(material)
    links = displacement.links if displacement else ()
    base += [(link.from_node.name, link.from_socket.identifier) for link in links]
    return [base, _tree(material.node_tree, color_input(material), displacement)]


def _tree(tree: bpy.types.NodeTree | None, *but: bpy.types.NodeSocket | None) -> list[Any]:
    """Nodes, their values and links; the dream's own are left out, and what goes into some inputs."""
    if tree is None:
        return []
    links = [
        (link.from_node.name, link.from_socket.identifier, link.to_node.name, link.to_socket.identifier)
        for link in tree.links
        if not is_ours(link.from_node) and not is_ours(link.to_node) and link.to_socket not in but
    ]
    return [[_node(node, *but) for node in tree.nodes if not is_ours(node)], sorted(links)]


def _node(node: bpy.types.Node, *but: bpy.types.NodeSocket | None) -> list[Any]:
    place = {"location", "location_absolute", "width", "height", "select", "hide", "label", "color", "name"}
    values = [pair for pair in simple_values(node) if pair[0] not in place]
    found = [
        node.name,
        node.bl_idname,
        values,
        [_socket(item) for item in node.inputs if not item.is_linked and item not in but],
    ]
    if image := getattr(node, "image", None):
        found.append(_image(image))
    if inner := getattr(node, "node_tree", None):
        found.append(_tree(inner))
    if ramp := getattr(node, "color_ramp", None):
        found.append([(item.position, list(item.color)) for item in ramp.elements])
    return found


def _socket(socket: bpy.types.NodeSocket) -> Any:
    value = getattr(socket, "default_value", None)
    return [socket.identifier, list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value]


def _image(image: bpy.types.Image) -> list[Any]:
    path = bpy.path.abspath(image.filepath, library=image.library) if image.filepath else ""
    return [
        image.name,
        list(image.size),
        image.is_dirty,
        file_hash(Path(path)) if path else "",
        len(image.packed_files),
    ]
