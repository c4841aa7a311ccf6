# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around the objects in the artist's scene: their real background, what hides them, what lights them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import bpy

from .targets import Plan, find_object

_NAME = "DeepDream Surroundings"


def other_objects(scene: bpy.types.Scene, plan: Plan) -> list[bpy.types.Object]:
    """All that the scene renders beside the plan's objects."""
    targets = [find_object(target.uid) for target in plan.targets]
    layer = next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])
    found = dict.fromkeys(_rendered(layer.layer_collection))
    return [item for item in found if item.type != "CAMERA" and item not in targets and not _shows(item, targets)]


def add_surroundings(scene: bpy.types.Scene, objects: list[bpy.types.Object]) -> bpy.types.Collection:
    """Let objects stand in another scene, too. Returns the collection that they are in."""
    collection = bpy.data.collections.new(_NAME)
    scene.collection.children.link(collection)
    for item in objects:
        collection.objects.link(item)
    return collection


def hold_out(layer: bpy.types.ViewLayer, collection: bpy.types.Collection, held_out: bool) -> None:
    """Whether what stands around leaves holes in pictures instead of being seen; it casts its shadows either way."""
    layer.layer_collection.children[collection.name].holdout = held_out


def _rendered(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.Object]:
    if layer.exclude or layer.collection.hide_render:
        return
    yield from (item for item in layer.collection.objects if not item.hide_render)
    for child in layer.children:
        yield from _rendered(child)


def _shows(item: bpy.types.Object, targets: Collection[bpy.types.Object]) -> bool:
    """Whether an empty shows one of them again."""
    shown = item.instance_collection.all_objects if item.instance_collection else ()
    return any(one in targets or _shows(one, targets) for one in shown)
