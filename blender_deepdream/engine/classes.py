# SPDX-License-Identifier: GPL-3.0-or-later
"""What a brain's classifier knows by name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ..protocol.errors import UnknownLayerError
from .brain import BrainCard

MAX_OFFERED = 5


def find_classes(card: BrainCard, names: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """The classifier's layer, and which of its channels these names or numbers are, each once.

    Capitals do not matter. Raises UnknownLayerError for a brain without a classifier, and for a class that it does not
    have, with names that are near.
    """
    if card.classifier is None:
        raise UnknownLayerError(
            f"Brain {card.name!r} has no classifier, so it knows no classes.", "Choose one of its layers instead."
        )
    found = (_find_class(card, card.classifier.channels, name) for name in names)
    return card.classifier.name, tuple(dict.fromkeys(found))


def _find_class(card: BrainCard, count: int, name: str) -> int:
    known = [known.casefold() for known in card.classes]
    if name.casefold() in known:
        return known.index(name.casefold())
    if name.isascii() and name.isdigit() and int(name) < count:
        return int(name)
    near = " or ".join(_near(card.classes, name))
    hint = f"Did you mean {near}? " if near else ""
    raise UnknownLayerError(
        f"Brain {card.name!r} has no class {name!r}.",
        f"{hint}Its {count} classes are also numbered: 0 to {count - 1}.",
    )


def _near(names: Sequence[str], name: str) -> list[str]:
    """Names that hold this one, and names that are spelled like it."""
    plain = {known.casefold(): known for known in names}
    holding = sorted((known for known in plain if name.casefold() in known), key=len)
    alike = difflib.get_close_matches(name.casefold(), plain, n=MAX_OFFERED, cutoff=0.6)
    return [plain[known] for known in dict.fromkeys([*holding[:MAX_OFFERED], *alike])][:MAX_OFFERED]
