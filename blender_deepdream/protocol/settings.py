# SPDX-License-Identifier: GPL-3.0-or-later
"""Every knob of a dream, ONCE.

`DreamSettings` is the value that travels: immutable, checked, the same in Blender, on the wire and in the engine.
Each field carries a `Knob`: default, hard and soft range, unit, label and help. Blender's properties, the command
line's flags, the server's validation and the docs are made from these, so a new setting is one new field here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .errors import SettingsError
from .layers import CLASSES, MAX_NAME_LENGTH, MAX_OCTAVES, LayerWeights, check_layers, parse_layers, read_choice

MAX_SEED = 2**31 - 1

MOTION = ("zoom", "rotate", "shift_x", "shift_y")
"""The knobs that move a source before it dreams."""


@dataclass(frozen=True, slots=True)
class Knob:
    """How one setting is shown and checked.

    hard: smallest and largest value that is accepted; soft: the range a slider covers without typing.
    unit: what the number counts, for help texts ("px", "stops"). choices: all values of a choice, in an order that
    only ever grows at its end, because Blender's files know them by their place.
    """

    name: str
    kind: Literal["int", "float", "text", "choice", "layers"]
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
        if self.kind == "choice":
            return self._check_choice(value)
        return self._check_number(value)

    def parse(self, text: str) -> Any:
        """A value as people type it: `--steps 12`, `--set layers=_blocks.4=2,_blocks.9`."""
        if self.kind == "layers":
            return parse_layers(text)
        if self.kind in ("text", "choice"):
            return self.check(text)
        try:
            number = float(text)
        except ValueError:
            raise SettingsError(f"{self.name} must be a number, not {text!r}.", self._range_hint()) from None
        return self._check_number(int(number) if number.is_integer() and self.kind == "int" else number)

    def _check_text(self, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_LENGTH or not value.isprintable():
            raise SettingsError(f"{self.name} must be a name of 1 to {MAX_NAME_LENGTH} printable characters.")
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


def _number(
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


def _text(default: str, label: str, text: str) -> Any:
    return field(default=default, metadata={"kind": "text", "label": label, "help": text})


def _choice(choices: tuple[str, ...], label: str, text: str) -> Any:
    """The first of the choices is the default."""
    options = {"kind": "choice", "label": label, "help": text, "choices": choices}
    return field(default=choices[0], metadata=options)


def _layers(label: str, text: str) -> Any:
    return field(default=(), metadata={"kind": "layers", "label": label, "help": text})


@dataclass(frozen=True, slots=True)
class DreamSettings:
    """The settings of one dream. Fields are checked where a value comes in: `from_json`, `from_text`, `replace`."""

    brain: str = _text("lite0", "Brain", "Network that dreams")
    layers: LayerWeights = _layers(
        "Layers",
        "Layers whose activity grows, with weights: _blocks.4=2, _blocks.9; channels of them: _blocks.9:12+57; classes "
        "the brain knows: class:peacock; in some octaves, from 1, the smallest: _blocks.4@3-; of another brain: "
        "squeezenet::fire9. Early layers draw lines and cells, late ones things. Empty: the brain's own choice",
    )
    objective: str = _choice(
        ("l2", "mean", "guide-dot", "guide-cosine", "direction"),
        "Objective",
        "What grows in the layers. l2: whatever they see; mean: their activation, best for single channels; "
        "guide-dot, guide-cosine: what is most like something in the guide image, the loudest or the closest; "
        "direction: a mixture of channels, with factors as in _blocks.9:12+57*-0.5",
    )
    cosine_power: float = _number(
        1.0,
        "Cosine Power",
        "For guide-cosine and direction: how much more the likeness counts than the loudness; 0 is dot product alone",
        (0, 8),
        (0, 4),
    )
    strength: float = _number(
        1.0, "Strength", "How much of the dream goes into the image: 0 none, 1 all, above 1 exaggerated", (0, 4), (0, 1)
    )
    octaves: int = _number(
        4,
        "Octaves",
        "Sizes of the image that dream, from small to full; more give larger shapes",
        (1, MAX_OCTAVES),
        (1, 8),
    )
    octave_scale: float = _number(
        1.4, "Octave Scale", "How much larger each octave is than the one before", (1.05, 4), (1.2, 2)
    )
    steps: int = _number(10, "Steps", "Gradient ascent steps in each octave", (1, 1000), (1, 50))
    step_size: float = _number(
        0.009, "Step Size", "Mean change of a colour in one step, on a scale of 0 to 1", (0.0001, 1), (0.002, 0.05)
    )
    jitter: int = _number(
        24,
        "Jitter",
        "Largest random shift before each step, against a visible grid",
        (0, 512),
        (0, 64),
        "px",
    )
    smoothing: int = _number(
        3, "Smoothing", "Scales over which the gradient is evened out; 1 sparkles, 3 is calm", (1, 6), (1, 5), "scales"
    )
    total_variation: float = _number(
        0.0, "Total Variation", "How strongly each step calms the noise in the dream, not its edges", (0, 10), (0, 2)
    )
    pull: float = _number(
        0.0, "Pull", "How much of the way back to the source each step goes: 0 none, 1 all", (0, 1), (0, 0.3)
    )
    color: str = _choice(
        ("free", "lightness", "source", "decorrelated"),
        "Color",
        "free: any color; lightness: only lighter and darker; source: as much of each color as the source has; "
        "decorrelated: colors as they go together in photographs, mostly light and dark, warm and cool",
    )
    seamless: str = _choice(
        ("no", "x", "y", "both"),
        "Seamless",
        "Sides across which the dream goes on at the other side, for textures that repeat and panoramas (x)",
    )
    zoom: float = _number(
        1.0,
        "Zoom",
        "How much larger the source becomes before it dreams; frame after frame, an endless zoom",
        (0.5, 2),
        (0.9, 1.1),
        "times",
    )
    rotate: float = _number(
        0.0, "Rotate", "Turn of the source before it dreams, counterclockwise", (-360, 360), (-10, 10), "degrees"
    )
    shift_x: float = _number(
        0.0, "Shift X", "Way of the source to the right before it dreams, in image widths", (-1, 1), (-0.1, 0.1)
    )
    shift_y: float = _number(
        0.0, "Shift Y", "Way of the source upwards before it dreams, in image heights", (-1, 1), (-0.1, 0.1)
    )
    coherence: float = _number(
        0.95,
        "Coherence",
        "How much an animation's dream stays on the surfaces as they move: 0 each frame on its own, 1 sticking",
        (0, 1),
    )
    highlights: str = _choice(
        ("clip", "roll-off"),
        "Highlights",
        "Scene-linear light above white. clip: the brain sees white, and files for the eye are white there; "
        "roll-off: it is compressed by a smooth shoulder, so that it dreams too",
    )
    exposure: float = _number(
        0.0, "Exposure", "Brightening of a scene-linear image before the brain sees it", (-16, 16), (-4, 4), "stops"
    )
    seed: int = _number(0, "Seed", "Start of the random numbers: the same seed gives the same dream", (0, MAX_SEED))
    tile: int = _number(
        0,
        "Tile",
        "Side of the parts in which a large image is looked at: less takes less memory and more time; 0: automatic",
        (0, 65536),
        (0, 2048),
        "px",
    )
    precision: str = _choice(
        ("auto", "float32", "bfloat16", "float16"),
        "Precision",
        "In which the network calculates: half precision takes half the time where the hardware knows it; "
        "auto: the fastest that sees the same",
    )

    @property
    def needs_guide(self) -> bool:
        return self.objective.startswith("guide-")

    @property
    def classes_only(self) -> bool:
        """Whether nothing but classes of a classifier dreams."""
        return bool(self.layers) and all(read_choice(name).layer == CLASSES for name, _ in self.layers)

    @property
    def moves(self) -> bool:
        """Whether the source is moved before it dreams."""
        return any(getattr(self, name) != KNOBS[name].default for name in MOTION)

    def in_zoom(self, frame: int, *, first: bool) -> DreamSettings:
        """A frame's settings in an endless zoom: it has random numbers of its own, and the first lies still.

        frame: its number, from 1.
        """
        still = {name: KNOBS[name].default for name in MOTION} if first else {}
        return self.replace(seed=(self.seed + frame - 1) % (MAX_SEED + 1), **still)

    @classmethod
    def from_json(cls, data: object) -> DreamSettings:
        """Settings from a JSON object; what is missing takes its default. Raises SettingsError."""
        if not isinstance(data, Mapping):
            raise SettingsError("Settings must be a JSON object of names and values.")
        return cls().replace(**{str(name): value for name, value in data.items()})

    @classmethod
    def from_text(cls, values: Mapping[str, str]) -> DreamSettings:
        """Settings as typed on a command line. Raises SettingsError."""
        return cls().replace(**{name: _knob(name).parse(text) for name, text in values.items()})

    def replace(self, /, **changes: object) -> DreamSettings:
        """A copy with some settings changed, each checked. Raises SettingsError."""
        return dataclasses.replace(self, **{name: _knob(name).check(value) for name, value in changes.items()})

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON: `{"layers": [["_blocks.9", 1.0]], "steps": 12, ...}`."""
        data = {knob.name: getattr(self, knob.name) for knob in KNOBS.values()}
        return data | {"layers": [list(layer) for layer in self.layers]}


KNOBS: Mapping[str, Knob] = {
    spec.name: Knob(name=spec.name, default=spec.default, **spec.metadata) for spec in dataclasses.fields(DreamSettings)
}


def _knob(name: str) -> Knob:
    if name not in KNOBS:
        raise SettingsError(f"There is no setting {name!r}.", f"Settings are: {', '.join(KNOBS)}.")
    return KNOBS[name]


def check_guide(settings: DreamSettings, given: bool) -> None:
    """Raises SettingsError for an objective without the guide that it needs, or a guide without such an objective."""
    if settings.needs_guide and not given:
        raise SettingsError(
            f"objective = {settings.objective} needs a guide image.", "Give one, or choose objective l2 or mean."
        )
    if given and not settings.needs_guide:
        raise SettingsError(
            f"objective = {settings.objective} makes no use of a guide.", "Choose guide-dot or guide-cosine."
        )


def check_direction(settings: DreamSettings) -> None:
    """Raises SettingsError for a direction without channels, or channels with factors without a direction."""
    choices = [read_choice(name) for name, _ in settings.layers]
    is_direction = settings.objective == "direction"
    if is_direction and not (choices and all(choice.channels or choice.classes for choice in choices)):
        raise SettingsError(
            "objective = direction needs channels in each layer.", "Name them with factors: _blocks.9:12+57*-0.5."
        )
    for choice in choices:
        if choice.has_factors and not is_direction:
            raise SettingsError(
                f"objective = {settings.objective} takes no factors, as {str(choice)!r} has.",
                "Choose objective direction, or leave the factors out.",
            )


def parse_setting(assignment: str) -> tuple[str, Any]:
    """`steps=12` as ("steps", 12). Raises SettingsError."""
    name, equals, text = assignment.partition("=")
    if not equals:
        raise SettingsError(f"{assignment!r} sets nothing.", "Write it as NAME=VALUE, for example steps=12.")
    return name.strip(), _knob(name.strip()).parse(text.strip())
