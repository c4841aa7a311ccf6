# SPDX-License-Identifier: GPL-3.0-or-later
"""A look: settings of a dream with a name, in a small JSON file that people keep, share and choose from.

    {"look": 1, "name": "Stained Glass", "brain_title": "EfficientNet-Lite0", "settings": {"brain": "lite0", ...}}

It says what a dream looks like, wherever it is dreamed: seed, tile size, precision and what belongs to one shot alone
stay as they are. What a file leaves out is the default. Layers are text, as people type them, so that weights may fade.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import SettingsError, StorageError
from .knob import Knob
from .layers import format_layers, parse_layers
from .settings import KNOBS

SUFFIX = ".json"
VERSION = 1
MAX_BYTES = 65536
MAX_TEXT = 120
_OF_THE_SHOT = {"seed", "tile", "precision", "exposure", "coherence", "seamless"}

LOOK_KNOBS: Mapping[str, Knob] = {name: knob for name, knob in KNOBS.items() if name not in _OF_THE_SHOT}


@dataclass(frozen=True, slots=True)
class Look:
    """settings: a value for every one of `LOOK_KNOBS`, layers as text. brain_title: of the brain, for people."""

    name: str
    settings: Mapping[str, Any]
    brain_title: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a file has it: the brain, and what is not the default."""
        told = {name: value for name, value in self.settings.items() if name == "brain" or value != DEFAULTS[name]}
        return {"look": VERSION, "name": self.name, "brain_title": self.brain_title, "settings": told}

    @classmethod
    def from_json(cls, data: object) -> Look:
        """Raises SettingsError."""
        if (
            not isinstance(data, Mapping)
            or data.get("look") != VERSION
            or not isinstance(data.get("settings"), Mapping)
        ):
            raise SettingsError("This is no look of this version.", "Choose a file that Export Look has written.")
        told = {str(name): value for name, value in data["settings"].items()}
        if unknown := sorted(set(told) - set(LOOK_KNOBS)):
            raise SettingsError(f"A look has no setting {unknown[0]!r:.60}.", "Was it made by a newer version? Update.")
        settings = {name: _checked(knob, told.get(name, DEFAULTS[name])) for name, knob in LOOK_KNOBS.items()}
        return cls(_line(data.get("name")), settings, _line(data.get("brain_title", "")))


def read_look(path: Path) -> Look:
    """A look from its file. Raises SettingsError for one that is none, StorageError if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    try:
        data = json.loads(content) if len(content) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        data = None
    return Look.from_json(data)


def write_look(look: Look, path: Path) -> None:
    """Write a look to its file. Raises StorageError."""
    try:
        path.write_text(json.dumps(look.to_json(), indent=1) + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def _as_told(knob: Knob) -> Any:
    return format_layers(knob.default) if knob.kind == "layers" else knob.default


DEFAULTS: Mapping[str, Any] = {name: _as_told(knob) for name, knob in LOOK_KNOBS.items()}


def _checked(knob: Knob, value: Any) -> Any:
    if knob.kind != "layers":
        return knob.check(value)
    if not isinstance(value, str):
        raise SettingsError("A look's layers must be text.", "Write them as NAME=WEIGHT, NAME=WEIGHT.")
    parse_layers(value, 0.0)
    return value


def _line(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or (value and not value.isprintable()):
        raise SettingsError(f"A look's name must be a line of at most {MAX_TEXT} characters.")
    return value
