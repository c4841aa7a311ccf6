# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings by chance, of which each has a number: the same number gives a brain the same settings again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ..protocol.layers import format_layers
from ..protocol.settings import MAX_SEED

MAX_NUMBER = 9999
_CALM = ("source", "lightness", "decorrelated")


def new_number() -> int:
    return random.SystemRandom().randint(1, MAX_NUMBER)


def surprise(number: int, layers: Sequence[str]) -> dict[str, Any]:
    """The settings of this number, by name of the knob. layers: of the brain, from early to late; none if it is not
    known, whose layers then stay as they are.

    Left out is what looked bad on a sheet of twelve: less smoothing sparkles, the lines of early layers in free colours
    are gaudy, and with more octaves than five little of the image is left.
    """
    chance = random.Random(number)
    names = layers[2:] or layers  # the first two layers of a network show next to nothing
    chosen = chance.sample(names, min(len(names), chance.choice((1, 1, 2))))
    early = set(layers[: len(layers) // 3])
    found: dict[str, Any] = {
        "octaves": chance.randint(3, 5),
        "steps": chance.choice((10, 14, 18)),
        "smoothing": chance.choice((3, 3, 4)),
        "color": chance.choice(_CALM if early & set(chosen) else ("free", "free", *_CALM)),
        "seed": chance.randint(0, MAX_SEED),
    }
    if chosen:
        found["layers"] = format_layers([(name, chance.choice((1.0, 1.0, 2.0))) for name in chosen])
    return found
