# SPDX-License-Identifier: GPL-3.0-or-later
"""A region as people type it: `--region sky.png _blocks.4=2,_blocks.9 objective=guide-dot guide=flower.jpg`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .errors import InputError
from .layers import parse_layers
from .messages import Region
from .regions import MAX_REGIONS
from .settings import KNOBS

_HELP = (
    "a part that dreams of its own: its mask, its layers with weights, joined by commas (- for the image's own), then "
    "objective=NAME and guide=IMG if they are its own; repeatable"
)


def add_region_argument(parser: argparse.ArgumentParser, when: str) -> None:
    """The argument `--region`, for `parse_regions`. when: what its help begins with."""
    parser.add_argument(
        "--region", action="append", nargs="+", default=[], metavar=("MASK", "LAYERS"), help=f"{when}: {_HELP}"
    )


def parse_regions(typed: Sequence[Sequence[str]]) -> tuple[Region, ...]:
    """Regions whose mask and guide are the paths of files. Raises InputError, SettingsError."""
    if len(typed) > MAX_REGIONS:
        raise InputError(f"There are more than {MAX_REGIONS} regions.", "Join masks that dream of the same.")
    return tuple(map(_parse_region, typed))


def _parse_region(words: Sequence[str]) -> Region:
    hint = "Write --region MASK LAYERS [objective=NAME] [guide=IMG], behind the names of files."
    if len(words) < 2:
        raise InputError("A region needs a mask and layers.", hint)
    mask, layers, *more = words
    said = dict(word.split("=", 1) for word in more if "=" in word)
    if len(said) != len(more) or set(said) - {"objective", "guide"} or not all(said.values()):
        raise InputError(f"A region cannot be told {' '.join(more)!r}.", hint)
    guide, objective = said.get("guide"), said.get("objective")
    objective = KNOBS["objective"].parse(objective) if objective else "guide-dot" if guide else None
    return Region(mask, () if layers == "-" else parse_layers(layers), objective, guide)
