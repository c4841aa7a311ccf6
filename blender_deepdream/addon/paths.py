# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths as artists write them."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..protocol.errors import InputError


def chosen_folder(path: str) -> Path:
    """A folder as the artist wrote it, // being beside the .blend. Raises InputError if it is none."""
    if not path:
        raise InputError("No folder is chosen for the pictures.", "Choose one: each class gets a folder in it.")
    if path.startswith("//") and not bpy.data.filepath:
        raise InputError(f"{path} is beside a .blend that was never saved.", "Save it, or choose a whole path.")
    return Path(bpy.path.abspath(path)).resolve()


def user_folder(name: str) -> Path:
    """A folder of this name among the extension's own of this user, made if need be."""
    package = __package__.removesuffix(".addon")
    try:
        return Path(bpy.utils.extension_path_user(package, path=name, create=True))
    except ValueError:  # run from its sources, it is no extension
        return Path(bpy.utils.user_resource("DATAFILES", path=f"{package}/{name}", create=True))
