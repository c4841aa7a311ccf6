# SPDX-License-Identifier: GPL-3.0-or-later
"""Which page of the user guide helps with what.

The pages come with the extension (`scripts/help_pages.py` makes them of docs/), so that help needs no network. Where
the add-on runs from its source, the guide's own pages are opened.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from ..protocol.errors import BY_CODE, DeepDreamError, NotFoundError

_PACKAGE = Path(__file__).parents[1]
_MADE, _SOURCES = _PACKAGE / "help", _PACKAGE.parent / "docs"
_TROUBLES = "troubleshooting"

PANELS = {
    "DEEPDREAM_PT_dream": "dream-a-render",
    "DEEPDREAM_PT_cache": "dream-a-render#cache",
    "DEEPDREAM_PT_node": "dream-a-render#settings",
    "DEEPDREAM_PT_history": "dream-a-render#history",
    "DEEPDREAM_PT_brains": "looks#brain-and-layer",
    "DEEPDREAM_PT_looks": "looks#looks",
    "DEEPDREAM_PT_training": "training#in-blender",
    "DEEPDREAM_PT_surface": "surfaces#in-blender",
    "DEEPDREAM_PT_image": "dream-an-image",
    "DEEPDREAM_PT_texture": "dream-an-image",
}
"""By a panel's name; what is not here has the page of the panel that it lies in."""

ERRORS = {
    "error": "anything-else",
    "input": "the-scene-and-its-node",
    "settings": "settings-brains-and-layers",
    "unknown_brain": "settings-brains-and-layers",
    "unknown_layer": "settings-brains-and-layers",
    "brain_file": "settings-brains-and-layers",
    "pull": "settings-brains-and-layers",
    "image": "images",
    "request": "the-dream-server",
    "missing_blob": "the-dream-server",
    "not_found": "the-dream-server",
    "server": "the-dream-server",
    "worker_lost": "the-dream-server",
    "timed_out": "the-dream-server",
    "out_of_memory": "memory-and-disk",
    "storage": "memory-and-disk",
    "render": "rendering",
}
"""By an error's code, the part of the page on troubles; what is not here has that of the error that it is a kind of."""

_MANUAL = (
    ("bpy.ops.deepdream.*look*", "looks#looks"),
    ("bpy.ops.deepdream.*surface*", PANELS["DEEPDREAM_PT_surface"]),
    ("bpy.ops.deepdream.*image*", PANELS["DEEPDREAM_PT_image"]),
    ("bpy.ops.deepdream.*train*", PANELS["DEEPDREAM_PT_training"]),
    ("bpy.ops.deepdream.*dataset*", PANELS["DEEPDREAM_PT_training"]),
    ("bpy.ops.deepdream.*brain*", PANELS["DEEPDREAM_PT_brains"]),
    ("bpy.ops.deepdream.*server*", "install"),
    ("bpy.ops.deepdream.*install*", "install"),
    ("bpy.ops.deepdream.test_connection*", "install"),
    ("bpy.ops.deepdream.quick_test*", "dream-a-render#quick-test"),
    ("bpy.ops.deepdream.clear_cache*", PANELS["DEEPDREAM_PT_cache"]),
    ("bpy.ops.deepdream.restore_dream*", PANELS["DEEPDREAM_PT_history"]),
    ("bpy.ops.deepdream.*", PANELS["DEEPDREAM_PT_dream"]),
    ("bpy.types.deepdreampreferences.*", "install"),
    ("bpy.types.deepdreamscenesettings.*", PANELS["DEEPDREAM_PT_cache"]),
    ("bpy.types.deepdreamsurface*", PANELS["DEEPDREAM_PT_surface"]),
    ("bpy.types.deepdreamimage*", PANELS["DEEPDREAM_PT_image"]),
    ("bpy.types.deepdreamtraining*", PANELS["DEEPDREAM_PT_training"]),
    ("bpy.types.deepdreamdataset*", PANELS["DEEPDREAM_PT_training"]),
    ("bpy.types.deepdream*", PANELS["DEEPDREAM_PT_node"]),
)
"""What Blender opens where Online Manual is chosen on a button or a setting. The first that fits is taken."""


def page_of(panel: str) -> str:
    """The page that helps with a panel, by its name."""
    while panel not in PANELS:
        panel = getattr(bpy.types, panel).bl_parent_id
    return PANELS[panel]


def entry_of(code: str) -> str:
    """The page that helps with an error, by its code; with one of a newer server, that on troubles as a whole."""
    kinds = BY_CODE[code].__mro__ if code in BY_CODE else ()
    names = (kind.code for kind in kinds if issubclass(kind, DeepDreamError))
    return "#".join([_TROUBLES, *[ERRORS[name] for name in names if name in ERRORS][:1]])


def address(page: str) -> str:
    """Where a page lies, as a file URL. Raises NotFoundError."""
    name, mark, anchor = page.partition("#")
    for path in (_MADE / f"{name}.html", _SOURCES / f"{name}.md"):
        if path.is_file():
            return f"{path.as_uri()}{mark}{anchor}"
    raise NotFoundError(f"There is no help page {name!r}.", "Install the extension again.")


def _manual() -> tuple[str, tuple[tuple[str, str], ...]]:
    """As `bpy.utils.register_manual_map` wants it: a prefix, and what comes after it by pattern."""
    return "", tuple((pattern, address(page)) for pattern, page in _MANUAL)


def register() -> None:
    bpy.utils.register_manual_map(_manual)


def unregister() -> None:
    bpy.utils.unregister_manual_map(_manual)
