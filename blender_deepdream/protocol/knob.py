# SPDX-License-Identifier: GPL-3.0-or-later
"""What a knob is, and values made of knobs: immutable, checked, the same in Blender, on the wire and in the engine.

`Knobs` is the base of `settings.DreamSettings` and `recipe.Recipe`: each field is made by one of the functions below.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from .errors import SettingsError
from .layers import MAX_NAME_LENGTH, check_layers, parse_layers

FLAG_WORDS: Mapping[str, bool] = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
"""How people type yes and no."""


@dataclass(frozen=True, slots=True)
class Knob:
    """How one setting is shown and checked.

    hard: smallest and largest value that is accepted; soft: the range a slider covers without typing.
    unit: what the number counts, for help texts ("px", "stops"). choices: all values of a choice, in an order that
    only ever grows at its end, because Blender's files know them by their place.
    """

    name: str
    kind: Literal["int", "float", "text", "flag", "choice", "layers"]
    default: Any
    label: str
    help: str
    hard: tuple[float, float] = (-math.inf, math.inf)
    soft: tuple[float, float] = (-math.inf, math.inf)
    unit: str = ""
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> Any:
        """The value in its own type. Raises SettingsError if it has another type or lies outside the hard range."""
        if self.kind == "layers":
            return check_layers(value)
        if self.kind == "text":
            return self._check_text(value)
        if self.kind == "flag":
            return self._check_flag(value)
        if self.kind == "choice":
            return self._check_choice(value)
        return self._check_number(value)

    def parse(self, text: str) -> Any:
        """A value as people type it: `--steps 12`, `--set layers=_blocks.4=2,_blocks.9`."""
        if self.kind == "layers":
            return parse_layers(text)
        if self.kind in ("text", "choice"):
            return self.check(text)
        if self.kind == "flag":
            return self._check_flag(FLAG_WORDS.get(text.lower(), text))
        try:
            number = float(text)
        except ValueError:
            raise SettingsError(f"{self.name} must be a number, not {text!r}.", self._range_hint()) from None
        return self._check_number(int(number) if number.is_integer() and self.kind == "int" else number)

    def to_json(self, value: Any) -> Any:
        """A value that was checked, as JSON."""
        return [list(layer) for layer in value] if self.kind == "layers" else value

    def _check_text(self, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_LENGTH or not value.isprintable():
            raise SettingsError(f"{self.name} must be a name of 1 to {MAX_NAME_LENGTH} printable characters.")
        return value

    def _check_flag(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise SettingsError(f"{self.name} must be yes or no, not {value!r:.40}.")
        return value

    def _check_choice(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise SettingsError(f"{self.name} cannot be {value!r:.40}.", f"Choose one of: {', '.join(self.choices)}.")
        return value

    def _check_number(self, value: object) -> float | int:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SettingsError(f"{self.name} must be a number, not {type(value).__name__}.", self._range_hint())
        # the range first: it also keeps out NaN, infinities and integers too large for a float
        if not self.hard[0] <= value <= self.hard[1]:
            raise SettingsError(f"{self.name} = {value!r:.40} is out of range.", self._range_hint())
        if self.kind == "int" and not float(value).is_integer():
            raise SettingsError(f"{self.name} must be a whole number, not {value!r}.", self._range_hint())
        return int(value) if self.kind == "int" else float(value)

    def _range_hint(self) -> str:
        low, high = (f"{bound:.10g}" for bound in self.hard)
        return f"Give a value from {low} to {high}{' ' + self.unit if self.unit else ''}."


def number(
    default: float,
    label: str,
    text: str,
    hard: tuple[float, float],
    soft: tuple[float, float] | None = None,
    unit: str = "",
) -> Any:
    kind = "int" if isinstance(default, int) else "float"
    options = {"kind": kind, "label": label, "help": text, "hard": hard, "soft": soft or hard, "unit": unit}
    return field(default=default, metadata=options)


def flag(default: bool, label: str, text: str) -> Any:
    return field(default=default, metadata={"kind": "flag", "label": label, "help": text})


def text(default: str, label: str, text: str) -> Any:
    return field(default=default, metadata={"kind": "text", "label": label, "help": text})


def choice(choices: tuple[str, ...], label: str, text: str) -> Any:
    """The first of the choices is the default."""
    options = {"kind": "choice", "label": label, "help": text, "choices": choices}
    return field(default=choices[0], metadata=options)


def layer_weights(label: str, text: str) -> Any:
    return field(default=(), metadata={"kind": "layers", "label": label, "help": text})


class Knobs:
    """The base of a frozen dataclass all of whose fields are knobs. They are checked where a value comes in:
    `from_json`, `from_text`, `replace`."""

    __slots__ = ()

    @classmethod
    @functools.cache
    def knobs(cls) -> Mapping[str, Knob]:
        """Every knob by its name, in the order of the fields."""
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # its heirs are dataclasses
        return {spec.name: Knob(name=spec.name, default=spec.default, **spec.metadata) for spec in fields}

    @classmethod
    def knob(cls, name: str) -> Knob:
        """Raises SettingsError, which names the knobs there are."""
        if name not in cls.knobs():
            raise SettingsError(f"There is no setting {name!r}.", f"Settings are: {', '.join(cls.knobs())}.")
        return cls.knobs()[name]

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Values from a JSON object; what is missing takes its default. Raises SettingsError."""
        if not isinstance(data, Mapping):
            raise SettingsError("Settings must be a JSON object of names and values.")
        return cls().replace(**{str(name): value for name, value in data.items()})

    @classmethod
    def from_text(cls, values: Mapping[str, str]) -> Self:
        """Values as typed on a command line. Raises SettingsError."""
        return cls().replace(**{name: cls.knob(name).parse(typed) for name, typed in values.items()})

    def replace(self, /, **changes: object) -> Self:
        """A copy with some knobs changed, each checked. Raises SettingsError."""
        checked = {name: self.knob(name).check(value) for name, value in changes.items()}
        return dataclasses.replace(self, **checked)  # type: ignore[type-var]  # its heirs are dataclasses

    def to_json(self) -> dict[str, Any]:
        """The values as JSON: `{"layers": [["_blocks.9", 1.0]], "steps": 12, ...}`."""
        return {name: knob.to_json(getattr(self, name)) for name, knob in self.knobs().items()}

    @classmethod
    def parse_assignment(cls, assignment: str) -> tuple[str, Any]:
        """`steps=12` as ("steps", 12). Raises SettingsError."""
        name, equals, typed = assignment.partition("=")
        if not equals:
            raise SettingsError(f"{assignment!r} sets nothing.", "Write it as NAME=VALUE, for example steps=12.")
        return name.strip(), cls.knob(name.strip()).parse(typed.strip())
