# SPDX-License-Identifier: GPL-3.0-or-later
"""Knobs as the flags of a command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from .knob import Knob


def add_knobs(parser: argparse.ArgumentParser, knobs: Mapping[str, Knob]) -> None:
    """A flag for each knob, `--step-size X`, or `--photometric` and `--no-photometric`; for lists of layers there is
    none."""
    for knob in knobs.values():
        flag = "--" + knob.name.replace("_", "-")
        if knob.kind == "flag":
            parser.add_argument(
                flag, dest=knob.name, default=None, action=argparse.BooleanOptionalAction, help=knob_help(knob)
            )
        elif knob.kind != "layers":
            parser.add_argument(flag, dest=knob.name, metavar=_metavar(knob), help=knob_help(knob))


def typed_knobs(options: argparse.Namespace, knobs: Mapping[str, Knob]) -> dict[str, str]:
    """The flags that were given, as `Knobs.from_text` takes them."""
    typed = {name: getattr(options, name, None) for name in knobs}
    words = {True: "yes", False: "no"}
    return {name: words.get(value, value) for name, value in typed.items() if value is not None}


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number from low to high, for argparse."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def knob_help(knob: Knob) -> str:
    """What the knob does, with its range and default."""
    text = knob.help[0].lower() + knob.help[1:]
    if knob.kind not in ("int", "float"):
        return text if knob.kind == "layers" else f"{text} (default: {_default(knob)})"
    low, high = (f"{bound:.10g}" for bound in knob.hard)
    unit = f" {knob.unit}" if knob.unit else ""
    return f"{text} ({low} to {high}{unit}, default: {knob.default})".replace("%", "%%")


def _metavar(knob: Knob) -> str:
    return {"int": "N", "float": "X", "text": "NAME", "choice": "|".join(knob.choices)}[knob.kind]


def _default(knob: Knob) -> str:
    return str(knob.default) if knob.kind != "flag" else "yes" if knob.default else "no"
