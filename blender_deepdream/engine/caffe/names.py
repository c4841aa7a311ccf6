# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that can be written where layers, channels and classes are asked for, whatever a file calls them."""

from __future__ import annotations

import re

RESERVED = frozenset(("class",))
"""Words that mean something else there."""
MAX_LENGTH = 200

# [BRAIN::]LAYER[:CHANNEL+CHANNEL*FACTOR][@OCTAVES][=WEIGHT], LAYER, ...
_MARKS = re.compile(r"[:@,=+*]|[^\x20-\uffff]")


def plain_name(name: str) -> str:
    """Without the marks that separate it from others."""
    return _MARKS.sub("_", name)


def unique_name(name: str, taken: dict[str, int]) -> str:
    """The name without the marks that have a meaning, unlike any that is taken; it is taken from now on.

    taken: how many names began as this one.
    """
    plain = unique = re.sub(r"\s", "_", plain_name(name.strip()))[:MAX_LENGTH] or "_"
    if plain in RESERVED:
        taken.setdefault(plain, 1)
    while unique in taken:
        taken[plain] += 1
        unique = f"{plain}_{taken[plain]}"
    taken[unique] = 1
    return unique
