# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that can be written where layers, channels and classes are asked for, whatever a file calls them."""

from __future__ import annotations

from ...protocol.layers import CLASSES, MAX_NAME_LENGTH

MARKS = frozenset(":@,=+*")
"""They mean something in a list of layers: [BRAIN::]LAYER[:CHANNEL+CHANNEL*FACTOR][@OCTAVES][=WEIGHT], LAYER, ..."""
ROOM_FOR_NUMBER = 8


def plain_name(name: str) -> str:
    """With an underscore for each mark, and for what cannot be printed."""
    return "".join(letter if letter.isprintable() and letter not in MARKS else "_" for letter in name.strip())


def unique_name(name: str, taken: dict[str, int]) -> str:
    """The plain name, without spaces, unlike any that is taken; it is taken from now on.

    taken: how many names began as this one.
    """
    plain = unique = plain_name(name).replace(" ", "_")[: MAX_NAME_LENGTH - ROOM_FOR_NUMBER] or "_"
    if plain == CLASSES:
        taken.setdefault(plain, 1)
    while unique in taken:
        taken[plain] += 1
        unique = f"{plain}_{taken[plain]}"
    taken[unique] = 1
    return unique
