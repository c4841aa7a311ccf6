# SPDX-License-Identifier: GPL-3.0-or-later
"""What a data set shows: selected objects or collections, one class each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import bpy

from ..protocol.errors import SceneError
from .outline import VISIBLE


@dataclass(frozen=True)
class Subject:
    """One class. name: its folder's. objects: what it shows together, by their session_uid: Blender's own references do
    not outlive an undo."""

    name: str
    objects: tuple[int, ...]


def objects_as_subjects(objects: Iterable[bpy.types.Object]) -> list[Subject]:
    """A class for each object with all that is parented to it; what hangs on another of them belongs to that one.

    Raises SceneError if there is none with a surface.
    """
    chosen = sorted(objects, key=lambda item: item.name)
    roots = [item for item in chosen if not any(parent in chosen for parent in _parents(item))]
    return _subjects({item.name: [item, *item.children_recursive] for item in roots}, "object", "Select objects")


def collections_as_subjects(collections: Iterable[bpy.types.Collection]) -> list[Subject]:
    """A class for each collection, with all that is in it. Raises SceneError if there is none with a surface."""
    members = {item.name: list(item.all_objects) for item in sorted(collections, key=lambda item: item.name)}
    return _subjects(members, "collection", "Select an object of each collection")


def selected_subjects(layer: bpy.types.ViewLayer, by: str) -> list[Subject]:
    """What is selected. by: OBJECTS, or COLLECTIONS for those that a selected object lies in. Raises SceneError."""
    selected = list(layer.objects.selected)
    if by == "OBJECTS":
        return objects_as_subjects(selected)
    whole = {item.name for item in bpy.data.collections}
    return collections_as_subjects(
        {found for item in selected for found in item.users_collection if found.name in whole}
    )


def find_objects(subject: Subject) -> list[bpy.types.Object]:
    """Raises SceneError if one of them has been deleted."""
    known = {item.session_uid: item for item in bpy.data.objects}
    if not known.keys() >= set(subject.objects):
        raise SceneError(f"An object of {subject.name!r} was deleted.", "Undo, or start again.")
    return [known[uid] for uid in subject.objects]


def _subjects(members: Mapping[str, list[bpy.types.Object]], kind: str, what_to_do: str) -> list[Subject]:
    visible = {name: [item.session_uid for item in items if _is_visible(item)] for name, items in members.items()}
    shown = {name: uids for name, uids in visible.items() if uids}
    if not shown:
        raise SceneError(
            f"No {kind} with a surface is selected.", f"{what_to_do}: each becomes a class of the data set."
        )
    from ..protocol.picture_folder import names_of

    folders = names_of((name.replace("/", "_"),) for name in shown)
    return [Subject(name, tuple(uids)) for name, uids in zip(folders, shown.values(), strict=True)]


def _is_visible(item: bpy.types.Object) -> bool:
    return item.type in VISIBLE and not item.hide_render


def _parents(item: bpy.types.Object) -> Iterable[bpy.types.Object]:
    while item := item.parent:
        yield item
