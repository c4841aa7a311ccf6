# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of nothing by name: `clouds:1920x1080`, or `clouds:1920x1080:7` for the seventh of its kind."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import ImageError

MAX_SIDE = 65_536
MAX_PIXELS = 2**28
"""Of any image that is dreamed."""

KINDS = ("clouds", "dusk", "noise", "gradient", "hue")

_NAME = re.compile(
    rf"(?P<kind>{'|'.join(KINDS)}):(?P<width>[0-9]{{1,5}})x(?P<height>[0-9]{{1,5}})(:(?P<seed>[0-9]{{1,9}}))?"
)


@dataclass(frozen=True, slots=True)
class Nothing:
    """An image of nothing. seed: None for the dream's own."""

    kind: str
    width: int
    height: int
    seed: int | None = None


def read_nothing(name: str) -> Nothing | None:
    """The image of nothing of this name; None for what is no such name: a file's, say.

    Raises ImageError for a size that no image has.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    width, height = int(match["width"]), int(match["height"])
    if not min(width, height) or max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has no possible size.", f"Sides are 1 to {MAX_SIDE:,}, pixels at most {MAX_PIXELS:,}."
        )
    return Nothing(match["kind"], width, height, int(match["seed"]) if match["seed"] else None)
