# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed in Blender since the file was loaded or saved: rendered passes are good only for what they show.

What 3D depends on is counted; a dream setting or a compositor node is not, so trying settings never renders 3D again.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from . import compat

_NO_MATTER = re.compile(
    "filepath|engine|threads.*|use_(compositing|sequencer|overwrite|placeholder|file_extension|render_cache|stamp.*)|"
    "stamp_.*|metadata_input|dither_intensity|preview_.*|compositor_.*|use_single_layer|use_lock_interface"
)
"""Settings that do not change what 3D looks like (the engine counts by itself)."""


class _Session:
    """Since the last load or save. id: tells sessions of never-saved files apart. three_d: changes of 3D.

    frames: where each scene last was, by its session_uid. collections: what is in them; empty before
    anybody looked.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.three_d = 0
        self.paused = False
        self.frames: dict[int, int] = {}
        self.collections = ""

    def name(self) -> list[Any] | None:
        """None while the scene's 3D is as it was saved."""
        unsaved = not bpy.data.filepath
        return [self.id, self.three_d] if unsaved or self.three_d else None


_session = _Session()


def note(depsgraph: bpy.types.Depsgraph) -> None:
    """Count an update that Blender reports, if what it renders may have changed."""
    scene = depsgraph.scene.original
    moved_on = _session.frames.get(scene.session_uid, scene.frame_current) != scene.frame_current
    _session.frames[scene.session_uid] = scene.frame_current
    changed = [_changes_3d(update) for update in depsgraph.updates]  # all of them: collections are looked at anew
    if not _session.paused and not moved_on and any(changed):
        _session.three_d += 1


def note_frame(scene: bpy.types.Scene) -> None:
    """What is animated has moved: that is another frame, not another scene."""
    _session.frames[scene.session_uid] = scene.frame_current


def _changes_3d(update: bpy.types.DepsgraphUpdate) -> bool:
    """Whether an update concerns what is rendered, and not only compositors and what belongs to them."""
    changed = update.id.original
    if isinstance(changed, bpy.types.Collection):
        return _collections_changed()
    if isinstance(changed, bpy.types.Object):
        # Blender reports all of them, as newly shaded, whenever relations between datablocks are built anew;
        # materials and visibility are in the key by themselves
        return bool(update.is_updated_geometry or update.is_updated_transform)
    if isinstance(changed, (bpy.types.Image, bpy.types.Action)):
        return changed not in _of_dreams()
    return not isinstance(changed, (bpy.types.CompositorNodeTree, bpy.types.Scene, bpy.types.WindowManager))


def _collections_changed() -> bool:
    """Whether other objects are in them: Blender reports them even where only images came or went."""
    before, _session.collections = _session.collections, _collections_now()
    return before != _session.collections


def _collections_now() -> str:
    roots = [scene.collection for scene in bpy.data.scenes]
    kept = [
        (item.name, item.hide_render, tuple(item.instance_offset), item.objects.keys(), item.children.keys())
        for item in (*roots, *bpy.data.collections)
    ]
    return repr(kept)


def _of_dreams() -> set[bpy.types.ID]:
    """Images and actions that DeepDream nodes use."""
    groups = [group for group in bpy.data.node_groups if group.deepdream.id]
    images = {node.image for group in groups for node in group.nodes if node.bl_idname == "CompositorNodeImage"}
    return images | {group.animation_data.action for group in groups if group.animation_data}


@contextmanager
def not_counted() -> Iterator[None]:
    """What the pipeline does to Blender, another frame, another engine, is no change of the artist's."""
    was, _session.paused = _session.paused, True
    try:
        yield
        bpy.context.view_layer.update()  # let Blender report it now, not when somebody counts again
    finally:
        _session.paused = was


def is_paused() -> bool:
    """Whether it is the pipeline that is at work."""
    return _session.paused


def unsaved_3d() -> bool:
    """Whether 3D has changed since the file was loaded or saved, as far as Blender says."""
    return _session.three_d > 0


def unsaved_state() -> list[Any] | None:
    """What 3D is now, as far as it is not what was saved; None where it is."""
    return _session.name()


def forget() -> None:
    """Begin to count anew: what is in memory is what is on disk."""
    global _session  # noqa: PLW0603  one Blender has one session
    _session = _Session()
    _session.collections = _collections_now()
    for scene in bpy.data.scenes:
        note_frame(scene)


def raw_key(scene: bpy.types.Scene, main: bpy.types.Scene, blend: str, libraries: list[str]) -> dict[str, Any]:
    """What a rendered frame depends on. Passes are good while this is the same.

    main: the scene whose compositor uses them; it sets the size. blend, libraries: as `saved_hashes` gives them.
    """
    return {
        "blend": blend,
        "libraries": libraries,
        "unsaved": _session.name(),
        "scene": scene.name,
        "frame": main.frame_current,
        "camera": scene.camera.name if scene.camera else None,
        "engine": scene.render.engine,
        "settings": _settings_hash(scene),
        "objects": _objects_hash(scene),
        "blender": bpy.app.version_string,
    } | frame_shape(scene, main)


def frame_shape(scene: bpy.types.Scene, main: bpy.types.Scene) -> dict[str, Any]:
    """What must still be the same when rendered passes are composited: size, border, view layers."""
    render = main.render
    return {
        "resolution": [render.resolution_x, render.resolution_y, render.resolution_percentage],
        "border": [
            render.use_border,
            render.use_crop_to_border,
            render.border_min_x,
            render.border_max_x,
            render.border_min_y,
            render.border_max_y,
        ],
        "layers": [layer.name for layer in scene.view_layers if layer.use],
    }


def _objects_hash(scene: bpy.types.Scene) -> str:
    """What Blender does not report apart from noise: which objects are rendered, with which materials."""
    objects = sorted(
        (item.name, item.hide_render, [slot.name for slot in item.material_slots]) for item in scene.objects
    )
    return hashlib.sha256(repr([*objects, *_left_out(scene)]).encode()).hexdigest()


def _left_out(scene: bpy.types.Scene) -> list[tuple[object, ...]]:
    """Collections that view layers do not show as they are."""
    found = []
    for layer in scene.view_layers:
        shown = [layer.layer_collection]
        for item in shown:
            marks = (item.exclude, item.holdout, item.indirect_only)
            found += [(layer.name, item.name, *marks)] if any(marks) else []
            shown.extend(item.children)
    return found


def _settings_hash(scene: bpy.types.Scene) -> str:
    """One hash over samples and everything else that the render engine and the view layers can be set to."""
    owners = [scene.render, getattr(scene, "cycles", None), getattr(scene, "eevee", None)]
    owners += [owner for layer in scene.view_layers for owner in (layer, getattr(layer, "cycles", None))]
    values = [simple_values(owner) for owner in owners if owner is not None]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def simple_values(owner: bpy.types.bpy_struct) -> list[tuple[str, str]]:
    """All that something can be set to by a number, a word or a list of them, but what no render shows."""
    simple = ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM")
    rules = (prop for prop in owner.bl_rna.properties if prop.type in simple and not prop.is_readonly)
    names = [prop.identifier for prop in rules if not compat.is_deprecated(prop)]
    return [(name, repr(_plain(getattr(owner, name)))) for name in sorted(names) if not _NO_MATTER.fullmatch(name)]


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)):
        return value
    return sorted(value) if isinstance(value, set) else [_plain(item) for item in value]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; empty for a file that is not there (a scene that was never saved)."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def saved_hashes() -> tuple[str, list[str]]:
    """Hashes of the .blend as saved and of the libraries that it links."""
    libraries = sorted({bpy.path.abspath(library.filepath) for library in bpy.data.libraries})
    blend = file_hash(Path(bpy.data.filepath)) if bpy.data.filepath else ""
    return blend, [file_hash(Path(path)) for path in libraries]
