# SPDX-License-Identifier: GPL-3.0-or-later
"""Where looks lie: those that come with the add-on beside this file, the user's own among Blender's presets.

Beside a look's file may lie a picture of the same name, .jpg.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..protocol.errors import InputError, SettingsError, StorageError
from ..protocol.look import LOOK_KNOBS, SUFFIX, Look, read_look
from .brain_choice import known_brain

PRESETS = "deepdream/looks"
"""Of Blender's presets, the folder for ours."""
_LONGEST = 50
"""Letters of a file's name: file systems count bytes, up to four for each."""
_WITH_THE_ADDON = Path(__file__).parent / "look_files"


def users_folder() -> Path:
    return Path(bpy.utils.user_resource("SCRIPTS", path=f"presets/{PRESETS}", create=True))


def look_files() -> Iterator[Path]:
    """Every look's file, by its name; first ours, then the user's."""
    for folder in (_WITH_THE_ADDON, users_folder()):
        yield from sorted(folder.glob(f"*{SUFFIX}"))


def remove(path: Path) -> None:
    """Delete a look of the user's, and its picture. Raises InputError for another one's, StorageError."""
    if not is_users(path):
        raise InputError("This look came with the add-on: it stays.")
    try:
        for file in (path, picture_of(path)):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{error.filename} cannot be deleted: {error.strerror}.", "Is it open elsewhere?") from error


def is_users(path: Path) -> bool:
    return path.parent == users_folder()


def picture_of(path: Path) -> Path:
    return path.with_suffix(".jpg")


def shown_name(path: Path) -> str:
    """A look's name without reading its file: stained-glass is Stained Glass."""
    return path.stem.replace("-", " ").replace("_", " ").title()


def new_file(name: str) -> Path:
    """Where a look of the user's of this name is kept. Raises InputError for a name that leaves nothing of itself."""
    stem = re.sub(r"[\W_]+", "-", name.lower())[:_LONGEST].strip("-")
    if not stem:
        raise InputError("The look has no name.", "Give it one, with letters or numbers in it.")
    return users_folder() / f"{stem}{SUFFIX}"


def file_for(look: Look, name: str) -> Path:
    """Where a look from elsewhere is kept: never in the place of another one of the user's. Raises InputError."""
    first = new_file(name)
    others = (first.with_stem(f"{first.stem}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([first], others) if not path.exists() or _holds(path, look))


def _holds(path: Path, look: Look) -> bool:
    try:
        return read_look(path) == look
    except (SettingsError, StorageError):
        return False


def taken_from(settings: bpy.types.PropertyGroup, name: str) -> Look:
    """The look that a node has."""
    values = {knob: _plain(getattr(settings, knob)) for knob in LOOK_KNOBS if hasattr(settings, knob)}
    brain = known_brain(settings)
    return Look.from_json({"look": 1, "name": name, "brain_title": brain.title if brain else "", "settings": values})


def apply_look(look: Look, settings: bpy.types.PropertyGroup) -> None:
    """Give a node, an image or a surface this look, as far as it has these settings."""
    for name, value in look.settings.items():
        if hasattr(settings, name):
            setattr(settings, name, value)


def load_look(path: str, settings: bpy.types.PropertyGroup) -> Look:
    """The look in a file, given to these settings. Raises SettingsError, StorageError."""
    look = read_look(Path(path))
    apply_look(look, settings)
    return look


def _plain(value: object) -> object:
    """Blender's numbers are single floats: 0.009 is 0.00899999961."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
