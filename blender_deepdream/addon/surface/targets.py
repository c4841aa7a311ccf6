# SPDX-License-Identifier: GPL-3.0-or-later
"""What is dreamed: meshes, the UV maps that their textures lie on, and the textures, which are called sheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy

from ...protocol.errors import SceneError
from ...protocol.surface import MAX_SHEETS
from .color_input import color_input, ensure_nodes
from .uv_faults import uv_fault

OWN_LAYER = "DeepDream"
"""Name of the UV map that is made where the artist's cannot be used."""
MAX_FACES = 4_000_000


@dataclass(frozen=True)
class Target:
    """An object whose surface dreams, by session_uid: references do not outlive an undo.

    layer: its UV map. unwrap: whether that map is still to be made. sheets: of each material slot.
    """

    uid: int
    name: str
    layer: str
    unwrap: bool
    sheets: tuple[int, ...]


@dataclass(frozen=True)
class Sheet:
    """One texture. material: whose colour it becomes, by session_uid; 0: one is made. name: for people and files."""

    material: int
    name: str


@dataclass(frozen=True)
class Plan:
    """notes: what people must be told."""

    targets: tuple[Target, ...]
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()


def find_object(uid: int) -> bpy.types.Object:
    """Raises SceneError if it has been deleted."""
    for item in bpy.data.objects:
        if item.session_uid == uid:
            return item
    raise SceneError("An object that was to dream is gone.", "Undo, or start again.")


def find_material(uid: int) -> bpy.types.Material | None:
    return next((item for item in bpy.data.materials if item.session_uid == uid), None)


def make_plan(objects: Iterable[bpy.types.Object], uvs: str, mask: str = "") -> Plan:
    """Which textures these objects need. uvs: AUTO, ARTIST or OWN: whose UV maps are used. mask: the name of a colour
    attribute that all must have.

    Raises SceneError where nothing can dream.
    """
    meshes = _meshes(objects)
    for item in meshes:
        if mask and mask not in item.data.color_attributes:
            raise SceneError(
                f"{item.name!r} has no colour attribute {mask!r}.", "Paint it (Vertex Paint), or clear Mask."
            )
    targets, notes = [], []
    sheets: dict[_Key, Sheet] = {}
    for item in meshes:
        fault = uv_fault(item.data) if uvs == "AUTO" or not item.data.uv_layers else ""
        if uvs == "ARTIST" and not item.data.uv_layers:
            raise SceneError(f"{item.name!r} has no UV map.", "Unwrap it, or let DeepDream do so: UVs: Automatic.")
        unwrap = uvs == "OWN" or bool(fault)
        if fault and item.data.uv_layers:
            notes.append(f"{item.name}: its UV map {fault}, so the dream has one of its own.")
        layer = OWN_LAYER if unwrap else next(map_.name for map_ in item.data.uv_layers if map_.active_render)
        numbers = [_sheet(sheets, item, material, layer, unwrap) for material in _materials(item)]
        targets.append(Target(item.session_uid, item.name, layer, unwrap, tuple(numbers)))
    if len(sheets) > MAX_SHEETS:
        raise SceneError(f"These objects have {len(sheets)} materials.", f"Dream at most {MAX_SHEETS} at a time.")
    return Plan(tuple(targets), tuple(sheets.values()), tuple(notes))


def _meshes(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Each mesh once, those of collections that empties show among them. Raises SceneError."""
    found: list[bpy.types.Object] = []
    for item in objects:
        shown = item.instance_collection.all_objects if item.type == "EMPTY" and item.instance_collection else [item]
        found += [mesh for mesh in shown if mesh.type == "MESH" and not mesh.hide_render and mesh not in found]
    if not found:
        raise SceneError("No mesh is selected.", "Select mesh objects; turn others into meshes: Object > Convert.")
    for item in found:
        _check(item)
    return found


def _check(item: bpy.types.Object) -> None:
    if not len(item.data.polygons) and not item.modifiers:
        raise SceneError(f"{item.name!r} has no faces.", "Choose a mesh with a surface.")
    if len(item.data.polygons) > MAX_FACES:
        raise SceneError(f"{item.name!r} has {len(item.data.polygons):,} faces.", f"At most {MAX_FACES:,} can dream.")
    # what an override changes of a mesh is lost when the file is opened again
    if any(data.library is not None or data.override_library is not None for data in (item, item.data)):
        raise SceneError(
            f"{item.name!r} is linked from another file and cannot be changed.", "Make it local: Object > Relations."
        )
    if item.mode == "EDIT":
        raise SceneError(f"{item.name!r} is being edited.", "Leave Edit Mode (Tab).")


def _materials(item: bpy.types.Object) -> Sequence[bpy.types.Material | None]:
    """Of each slot; of an object without slots, none."""
    return [slot.material for slot in item.material_slots] or [None]


_Key = tuple[int, int, str]
"""What has a sheet of its own: a material, an object where it shares none, a UV map."""


def _sheet(
    sheets: dict[_Key, Sheet], item: bpy.types.Object, material: bpy.types.Material | None, layer: str, unwrap: bool
) -> int:
    """The number of the sheet of a material, a new one if need be: objects with the artist's UVs share a material's."""
    if material is not None:
        ensure_nodes(material)
        color_input(material)
    uid = material.session_uid if material else 0
    key = (uid, item.session_uid if unwrap or not uid else 0, layer)
    if key not in sheets:
        sheets[key] = Sheet(uid, material.name if material and not unwrap else item.name)
    return list(sheets).index(key)
