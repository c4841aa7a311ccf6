# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed in Blender since the file was loaded or saved: rendered passes are good only for what they show.

Two counts: one of everything, one of what 3D depends on. A dream setting or a compositor node moves only the first,
so trying settings never renders 3D again.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

_THREE_D = """
    ACTION ARMATURE CACHEFILE CAMERA COLLECTION CURVE CURVES FONT GREASEPENCIL GREASEPENCIL_V3 IMAGE KEY LATTICE LIGHT
    LIGHT_PROBE MATERIAL MESH META OBJECT PARTICLE POINTCLOUD SPEAKER SURFACE TEXTURE VOLUME WORLD
""".split()  # noqa: SIM905  a list of quoted words would fill the page
_NO_MATTER = {"filepath", "engine", "use_compositing", "use_sequencer", "use_overwrite", "use_placeholder"} | {
    "threads",
    "threads_mode",
}
"""Render settings that do not change what is rendered (the engine counts by itself)."""


class _Session:
    """Counts since the last load or save; `id` tells sessions of never-saved files apart."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.three_d = 0
        self.paused = False

    def name(self) -> list[Any] | None:
        """None while the scene's 3D is as it was saved."""
        unsaved = not bpy.data.filepath
        return [self.id, self.three_d] if unsaved or self.three_d else None


_session = _Session()


def note(depsgraph: bpy.types.Depsgraph) -> None:
    """Count an update that Blender reports, if what it renders may have changed."""
    if _session.paused:
        return
    if any(map(depsgraph.id_type_updated, filter(_known, _THREE_D))) and not _only_our_own(depsgraph):
        _session.three_d += 1


def _known(kind: str) -> bool:
    return kind in bpy.types.ID.bl_rna.properties["id_type"].enum_items


def _only_our_own(depsgraph: bpy.types.Depsgraph) -> bool:
    """Whether all that was updated belongs to compositors: their trees, their images, their animation."""
    own = (bpy.types.CompositorNodeTree, bpy.types.Image, bpy.types.Scene)
    return all(isinstance(update.id, own) for update in depsgraph.updates)


@contextmanager
def not_counted() -> Iterator[None]:
    """What the pipeline does to Blender, another frame, another engine, is no change of the artist's."""
    was, _session.paused = _session.paused, True
    try:
        yield
        bpy.context.view_layer.update()  # let Blender report it now, not when somebody counts again
    finally:
        _session.paused = was


def unsaved_3d() -> bool:
    """Whether 3D has changed since the file was loaded or saved, as far as Blender says."""
    return _session.three_d > 0


def forget() -> None:
    global _session  # noqa: PLW0603  one Blender has one session
    _session = _Session()


@persistent
def on_save(*_: object) -> None:
    forget()


def raw_key(scene: bpy.types.Scene, blend_hash: str, library_hashes: list[str]) -> dict[str, Any]:
    """What a rendered frame depends on. Passes are good while this is the same."""
    render = scene.render
    return {
        "blend": blend_hash,
        "libraries": library_hashes,
        "unsaved": _session.name(),
        "scene": scene.name,
        "frame": scene.frame_current,
        "camera": scene.camera.name if scene.camera else None,
        "engine": render.engine,
        "resolution": [render.resolution_x, render.resolution_y, render.resolution_percentage],
        "border": [
            render.use_border,
            render.use_crop_to_border,
            render.border_min_x,
            render.border_max_x,
            render.border_min_y,
            render.border_max_y,
        ],
        "settings": _settings_hash(scene),
        "blender": bpy.app.version_string,
    }


def _settings_hash(scene: bpy.types.Scene) -> str:
    """One hash over samples and everything else that the render engine and the view layers can be set to."""
    owners = [scene.render, getattr(scene, "cycles", None), getattr(scene, "eevee", None)]
    owners += [owner for layer in scene.view_layers for owner in (layer, getattr(layer, "cycles", None))]
    values = [_simple_values(owner) for owner in owners if owner is not None]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _simple_values(owner: bpy.types.bpy_struct) -> list[tuple[str, str]]:
    simple = ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM")
    names = [prop.identifier for prop in owner.bl_rna.properties if prop.type in simple and not prop.is_readonly]
    return [(name, repr(_plain(getattr(owner, name)))) for name in sorted(set(names) - _NO_MATTER)]


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
