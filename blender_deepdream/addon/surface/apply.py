# SPDX-License-Identifier: GPL-3.0-or-later
"""Dreamed textures into the artist's materials, in the place of the base colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from .color_input import ensure_nodes, show_dream
from .relief_output import show_relief
from .stage import new_material
from .targets import OWN_LAYER, Plan, find_material, find_object
from .unwrap import write_layer

Slot = tuple[bpy.types.Object, int]


def apply(
    plan: Plan,
    textures: Sequence[Path],
    reliefs: Sequence[Path],
    layers: Mapping[int, NDArray[np.float32]],
    *,
    pack: bool,
) -> list[bpy.types.Image]:
    """Show each sheet's texture in its material, which is copied where others use it, too.

    reliefs: likewise, or none. layers: the UV maps that were made, by target. pack: whether the images go into the
    .blend. Raises SceneError if an object is gone or was changed meanwhile.
    """
    for target in plan.targets:
        if target.unwrap:
            write_layer(find_object(target.uid).data, OWN_LAYER, layers[target.uid])
    images = []
    for number, (sheet, path) in enumerate(zip(plan.sheets, textures, strict=True)):
        slots = _slots(plan, number)
        layer = next(target.layer for target in plan.targets if number in target.sheets)
        material = _material(sheet.material, sheet.name, slots)
        images.append(_loaded(path, f"{sheet.name} dreamed", pack))
        show_dream(material, images[-1], layer)
        if reliefs:
            images.append(_loaded(reliefs[number], f"{sheet.name} relief", pack))
            show_relief(material, images[-1], layer)
    return images


def _loaded(path: Path, name: str, pack: bool) -> bpy.types.Image:
    image = bpy.data.images.load(str(path))
    image.name = name
    if pack:
        image.pack()
    return image


def _slots(plan: Plan, number: int) -> list[Slot]:
    """Where the material of a sheet is."""
    found = []
    for target in plan.targets:
        item = find_object(target.uid)
        if not item.material_slots:
            item.data.materials.append(None)
        found += [(item, slot) for slot, sheet in enumerate(target.sheets) if sheet == number]
    return found


def _material(uid: int, name: str, slots: Sequence[Slot]) -> bpy.types.Material:
    """The material of these slots, which no other has."""
    material = find_material(uid)
    if material is None:
        material = new_material(name)
    elif material.library is not None or _used_elsewhere(material, slots):
        material = material.copy()
    ensure_nodes(material)
    for item, number in slots:
        slot = item.material_slots[number]
        if slot.material != material:
            if item.data.users > 1:
                slot.link = "OBJECT"
            slot.material = material
    return material


def _used_elsewhere(material: bpy.types.Material, slots: Sequence[Slot]) -> bool:
    own = {(item.name_full, number) for item, number in slots}
    return any(
        slot.material == material and (item.name_full, number) not in own
        for item in bpy.data.objects
        for number, slot in enumerate(item.material_slots)
    )
