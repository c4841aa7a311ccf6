# SPDX-License-Identifier: GPL-3.0-or-later
"""The last dreams of a node: what it was set to, and a small picture of each, so that one can go back.

    dream/<node>/history/<settings>.json    what it was set to, as `remember` writes it
    dream/<node>/history/<settings>.jpg     what that dreamed

They lie in the cache beside the dreams, but clearing it leaves them: settings cannot be made again.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..protocol.errors import InputError, SettingsError
from ..protocol.layers import parse_layers
from ..protocol.nothing import KINDS
from ..protocol.settings import KNOBS, DreamSettings
from .cache import read_json, scene_cache, write_json
from .status import asked
from .surprise import MAX_NUMBER
from .thumbnail import write_thumbnail

KEPT = 12
_MAX_BYTES = 65536
_WORDS = ("source", "endless", "fade", "surprise")
_IMAGES = ("guide",)
_OF_REGION = ("layers", "objective")
_IMAGES_OF_REGION = ("guide", "mask")


@dataclass(frozen=True)
class Remembered:
    """One dream. path: of what is written of it. when: seconds, as `time.time` says. settings: by name of the knob."""

    path: Path
    when: float
    frame: int
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def picture(self) -> Path:
        return self.path.with_suffix(".jpg")

    @property
    def title(self) -> str:
        """A few letters for a button: the layers, or else the seed."""
        return str(self.settings["layers"]) or f"Seed {self.settings['seed']}"

    @property
    def text(self) -> str:
        """What tells it from the default, for people: `lite0: Layers _blocks.4, Octaves 6, frame 12`."""
        told = {name: value for name, value in self.settings.items() if name not in ("brain", "tile", "precision")}
        other = [f"{KNOBS[name].label} {_short(value)}" for name, value in told.items() if value != _default(name)]
        return f"{self.settings['brain']}: {', '.join([*other, f'frame {self.frame}'])}"


def remember(group: bpy.types.NodeTree, dream: Path, frame: int) -> None:
    """Note what a node is set to, of which this dream, an EXR in its folder, has come. Raises StorageError."""
    folder, name = _folder(dream.parent), asked(group.deepdream)[:16]
    write_json(folder / f"{name}.json", {"history": 1, "when": time.time(), "frame": frame, **_taken(group.deepdream)})
    write_thumbnail(dream, folder / f"{name}.jpg")
    for old in _listed(folder)[KEPT:]:
        for path in (old.path, old.picture):
            path.unlink(missing_ok=True)


def history(scene: bpy.types.Scene, group: bpy.types.NodeTree) -> list[Remembered]:
    """The last dreams of a scene's node, the newest first."""
    folder = _folder(scene_cache(scene).dreams(f"any-{group.deepdream.id[:8]}"))
    try:
        return _read(folder, folder.stat().st_mtime_ns)
    except OSError:
        return []


def restore(remembered: Remembered, settings: bpy.types.PropertyGroup) -> list[str]:
    """Set a node to what it was. Returns what could not be, in words.

    Raises SettingsError, and changes nothing then.
    """
    noted = _checked(remembered.path)
    for name, value in (noted["settings"] | noted["words"]).items():
        setattr(settings, name, value)
    missing = _restore_images(settings, noted["images"], _IMAGES)
    now = {region.socket: region for region in settings.regions}
    for number, region in enumerate(noted["regions"], 1):
        if region["socket"] not in now:
            missing.append(f"region {number} was removed")
            continue
        for name in _OF_REGION:
            setattr(now[region["socket"]], name, region[name])
        missing += _restore_images(now[region["socket"]], region, _IMAGES_OF_REGION)
    return missing


def find(scene: bpy.types.Scene, group: bpy.types.NodeTree, name: str) -> Remembered:
    """The dream of this name, empty for the newest. Raises InputError."""
    for remembered in history(scene, group):
        if name in ("", remembered.name):
            return remembered
    raise InputError("The node remembers no such dream.", "Dream a frame first.")


def _folder(dreams: Path) -> Path:
    return dreams / "history"


@functools.lru_cache(maxsize=16)
def _read(folder: Path, _written: int) -> list[Remembered]:
    """Panels are drawn often; the folder is read again when something in it was written."""
    return _listed(folder)


def _listed(folder: Path) -> list[Remembered]:
    found = (_remembered(path) for path in folder.glob("*.json"))
    return sorted(filter(None, found), key=lambda one: one.when, reverse=True)


def _remembered(path: Path) -> Remembered | None:
    """None for a file that says nothing of a dream."""
    try:
        noted = _checked(path)
    except SettingsError:
        return None
    return Remembered(path, noted["when"], noted["frame"], noted["settings"])


def _taken(settings: bpy.types.PropertyGroup) -> dict[str, Any]:
    return {
        "settings": {name: _plain(getattr(settings, name)) for name in KNOBS},
        "words": {name: _plain(getattr(settings, name)) for name in _WORDS},
        "images": _names(settings, _IMAGES),
        "regions": [
            {"socket": region.socket, **{name: getattr(region, name) for name in _OF_REGION}}
            | _names(region, _IMAGES_OF_REGION)
            for region in settings.regions
        ],
    }


def _checked(path: Path) -> dict[str, Any]:
    """What `remember` wrote. Raises SettingsError for anything else."""
    try:
        noted = read_json(path) if path.stat().st_size <= _MAX_BYTES else None
        if not noted or noted.get("history") != 1:
            raise ValueError("no history")
        json.dumps(noted, ensure_ascii=False).encode()  # letters that are none cannot be shown: UnicodeEncodeError
        told = noted["settings"]
        values = {name: told.get(name, _default(name)) for name in KNOBS} | {"brain": told["brain"]}
        DreamSettings().replace(**values | {"layers": parse_layers(values["layers"], 0.0)})
        return {
            "settings": values,
            "words": _checked_words(noted["words"]),
            "images": {name: str(noted["images"][name]) for name in _IMAGES},
            "regions": [_checked_region(noted["regions"][number]) for number in range(len(noted["regions"]))],
            "when": float(noted["when"]),
            "frame": int(noted["frame"]),
        }
    except (SettingsError, OSError, KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise SettingsError(f"{path} does not say what a node was set to.", "Delete it.") from error


def _checked_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Raises KeyError, TypeError or ValueError."""
    if words["source"] not in ("image", *KINDS) or not 0 <= words["fade"] <= 1:
        raise ValueError("a word that is none")
    return {
        "source": words["source"],
        "endless": bool(words["endless"]),
        "fade": float(words["fade"]),
        "surprise": min(max(int(words.get("surprise", 0)), 0), MAX_NUMBER),
    }


def _checked_region(region: Mapping[str, Any]) -> dict[str, str]:
    """Raises KeyError, TypeError, ValueError or SettingsError."""
    parse_layers(region["layers"], 0.0)
    if region["objective"] not in ("same", *KNOBS["objective"].choices):
        raise ValueError("an objective that is none")
    return {name: str(region[name]) for name in ("socket", *_OF_REGION, *_IMAGES_OF_REGION)}


def _names(owner: bpy.types.PropertyGroup, images: tuple[str, ...]) -> dict[str, str]:
    return {name: image.name if (image := getattr(owner, name)) else "" for name in images}


def _restore_images(owner: bpy.types.PropertyGroup, noted: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    """Returns what is no longer there."""
    missing = []
    for name in names:
        image = bpy.data.images.get(str(noted.get(name, "")))
        setattr(owner, name, image)
        if noted.get(name) and image is None:
            missing.append(f"the {name} {noted[name]!r} is gone")
    return missing


def _plain(value: object) -> object:
    """Blender's numbers are single floats: 0.009 is 0.00899999961."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _default(name: str) -> object:
    return "" if KNOBS[name].kind == "layers" else KNOBS[name].default


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
