# SPDX-License-Identifier: GPL-3.0-or-later
"""What frames dream of, side by side: while layers and brains cross-fade, the dream must go along."""

from __future__ import annotations

from ..protocol.layers import read_choice
from ..protocol.settings import DreamSettings

Mixture = tuple[tuple[str, float], ...]
"""Layers with the names of their brains, each with its share: the sizes of all come to 1."""


def mixture(settings: DreamSettings) -> Mixture:
    """Of the layers that settings name; a brain's own choice is one of its own."""
    choices = [(read_choice(name), weight) for name, weight in settings.layers]
    layers = [(f"{choice.brain or settings.brain} {choice}", weight) for choice, weight in choices]
    layers = layers or [(settings.brain, 1.0)]
    total = sum(abs(weight) for _, weight in layers)
    return tuple((name, weight / total) for name, weight in layers)


ALIKE = 0.95
"""Mixtures more alike than this cannot be told apart by eye."""


def likeness(one: Mixture, other: Mixture) -> float:
    """1 for the same mixture, 0 where half of it or more is another; 1 if one of them is not known."""
    if not one or not other:
        return 1.0
    a, b = dict(one), dict(other)
    return max(0.0, 1.0 - sum(abs(a.get(name, 0.0) - b.get(name, 0.0)) for name in a | b))


def blend(before: Mixture, now: Mixture, kept: float) -> Mixture:
    """Of what a dream is that kept this share (0 to 1) of the frame before, while `now` is asked for."""
    a, b = dict(before or now), dict(now)
    shares = {name: kept * a.get(name, 0.0) + (1 - kept) * b.get(name, 0.0) for name in b | a}
    blended = tuple(shares.items())
    return now if likeness(blended, now) > ALIKE else blended
