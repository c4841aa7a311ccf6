# SPDX-License-Identifier: GPL-3.0-or-later
"""How people choose what dreams: `[BRAIN::]LAYER[:CHANNELS][@OCTAVES]`, each choice with a weight.

_blocks.4=2, _blocks.9:12+57=0.5      two layers, one by some of its channels, with weights
squeezenet::fire9                     a layer of another brain
class:peacock+tench                   what the brain's classifier calls so; numbers of classes do as well
_blocks.9@1-2, _blocks.4@3-           large shapes from one layer, fine ones from another
_blocks.9:12+57*-0.5                  a direction: channels with factors
_blocks.4=1..0, squeezenet::fire9=0..1    weights that fade, where there are frames
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .errors import SettingsError

LayerWeights = tuple[tuple[str, float], ...]
"""Layers to dream with, each with its weight: (("_blocks.9", 1.0), ("_blocks.4:12+57", 0.5)). Empty: the brain's
default."""

MAX_LAYERS = 32
MAX_NAME_LENGTH = 200
MAX_OCTAVES = 16

CLASSES = "class"
"""In the place of a layer: the brain's classifier, its channels chosen by the names of classes."""

_HINT = (
    "Write layers as NAME, NAME=WEIGHT or NAME:CHANNEL+CHANNEL@OCTAVES=WEIGHT, "
    "for example _blocks.9:12+57=0.5, class:peacock, _blocks.4@1-2."
)
_COMPONENT = r"[0-9]{1,6}(\*-?[0-9]{1,4}(\.[0-9]{1,6})?)?"
_CHANNELS = re.compile(rf"(?P<layer>.+):(?P<channels>{_COMPONENT}(\+{_COMPONENT})*)")
_OCTAVES = re.compile(r"(?P<first>[0-9]{1,2})((?P<to>-)(?P<last>[0-9]{1,2})?)?")


class Octaves(NamedTuple):
    """The octaves in which a layer dreams, from 1, the smallest, both ends included."""

    first: int = 1
    last: int = MAX_OCTAVES

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.first}"
        return f"{self.first}-{'' if self.last == MAX_OCTAVES else self.last}"


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """One choice taken apart. Its `str` is the same for what dreams the same.

    layer: its name, or CLASSES. brain: "" for the settings' own. channels: with their factors; none: all.
    classes: of CLASSES, as they were typed: names, or numbers.
    """

    layer: str
    brain: str = ""
    channels: tuple[tuple[int, float], ...] = ()
    classes: tuple[str, ...] = ()
    octaves: Octaves = Octaves()

    @property
    def has_factors(self) -> bool:
        return any(factor != 1 for _, factor in self.channels)

    def __str__(self) -> str:
        brain = f"{self.brain}::" if self.brain else ""
        parts = self.classes or tuple(f"{channel}{_factor_text(factor)}" for channel, factor in self.channels)
        octaves = "" if self.octaves == Octaves() else f"@{self.octaves}"
        return f"{brain}{self.layer}{':' if parts else ''}{'+'.join(parts)}{octaves}"


def read_choice(text: str) -> LayerChoice:
    """`squeezenet::fire9:12+57@1-2` taken apart. Raises SettingsError."""
    rest, at, octaves = text.strip().rpartition("@")
    brain, between, name = (rest if at else octaves).rpartition("::")
    if not name or (between and not brain):
        raise SettingsError("A layer has no proper name.", _HINT)
    where = _read_octaves(octaves, text) if at else Octaves()
    layer, _, chosen = name.partition(":")
    if layer == CLASSES:
        return LayerChoice(CLASSES, brain, classes=_read_classes(chosen), octaves=where)
    match = _CHANNELS.fullmatch(name)
    if match is None:
        return LayerChoice(name, brain, octaves=where)
    return LayerChoice(match["layer"], brain, _read_channels(match["channels"], text), octaves=where)


def parse_layers(text: str, fade: float | None = None) -> LayerWeights:
    """`_blocks.4=2, _blocks.9` as (("_blocks.4", 2.0), ("_blocks.9", 1.0)). Raises SettingsError.

    fade: how far weights like `1..0` have gone from the first number to the second, 0 to 1; None where nothing fades.
    What has faded away is left out.
    """
    layers: list[tuple[str, float]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, weight = (piece.strip() for piece in part.rsplit("=", 1)) if "=" in part else (part, "1")
        value = _read_weight(name, weight, fade)
        if value or ".." not in weight:
            layers.append((name, value))
    return check_layers(layers)


def _read_weight(name: str, text: str, fade: float | None) -> float:
    first, fades, last = text.partition("..")
    if fades and fade is None:
        raise SettingsError(
            f"The weight {text!r} of layer {name!r} fades, and here nothing does.",
            "Give one number; weights fade in Blender's node, by its Fade.",
        )
    try:
        return float(first) if fade is None or not fades else (1 - fade) * float(first) + fade * float(last)
    except ValueError:
        raise SettingsError(f"The weight of layer {name!r} must be a number, not {text!r}.") from None


def format_layers(layers: Iterable[tuple[str, float]]) -> str:
    """The text that `parse_layers` reads back."""
    return ", ".join(name if weight == 1 else f"{name}={repr(weight).removesuffix('.0')}" for name, weight in layers)


def check_layers(value: object) -> LayerWeights:
    """The value as choices with weights, each written in the one way that means it. Raises SettingsError."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_LAYERS:
        raise SettingsError(f"layers must be a list of at most {MAX_LAYERS} pairs of a name and a weight.")
    layers = tuple(_check_layer(item) for item in value)
    names = [name for name, _ in layers]
    if len(set(names)) != len(names):
        raise SettingsError("A layer is named twice.", "Name each layer once, with its weight.")
    if layers and not sum(abs(weight) for _, weight in layers):
        raise SettingsError("All layers have weight 0, so nothing would dream.", "Give one of them a weight.")
    return layers


def _check_layer(item: object) -> tuple[str, float]:
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        raise SettingsError("Each layer must be a pair of a name and a weight.", _HINT)
    name, weight = item
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise SettingsError("A layer has no proper name.", _HINT)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not -1000 <= weight <= 1000:
        raise SettingsError(f"The weight of layer {name!r} must be a number from -1000 to 1000.", _HINT)
    return str(read_choice(name)), float(weight)


def _read_octaves(text: str, whole: str) -> Octaves:
    match = _OCTAVES.fullmatch(text)
    if match:
        first = int(match["first"])
        last = int(match["last"]) if match["last"] else MAX_OCTAVES if match["to"] else first
        if 1 <= first <= last <= MAX_OCTAVES:
            return Octaves(first, last)
    raise SettingsError(
        f"{whole!r} names no octaves after its @.",
        f"Octaves count from 1, the smallest, to {MAX_OCTAVES}: @2 is one, @1-3 are three, @3- all from the third on.",
    )


def _read_classes(text: str) -> tuple[str, ...]:
    classes = tuple(dict.fromkeys(filter(None, map(str.strip, text.split("+")))))
    if not classes:
        raise SettingsError(
            f"{CLASSES!r} names no class.", f"Write {CLASSES}:NAME+NAME, by name or number, for example class:peacock."
        )
    return tuple(sorted(classes))


def _read_channels(text: str, whole: str) -> tuple[tuple[int, float], ...]:
    """Channels in their order, each once."""
    pairs = (part.partition("*") for part in text.split("+"))
    channels = sorted({(int(channel), float(factor or 1)) for channel, _, factor in pairs})
    if len({channel for channel, _ in channels}) != len(channels):
        raise SettingsError(f"{whole!r} names a channel twice.", "Name each channel once, with its factor.")
    if not any(factor for _, factor in channels):
        raise SettingsError(f"{whole!r} points nowhere: all factors are 0.", "Give one of them another factor.")
    return tuple(channels)


def _factor_text(factor: float) -> str:
    # never with an exponent, which would not be read back
    return "" if factor == 1 else f"*{f'{factor:.6f}'.rstrip('0').rstrip('.')}"
