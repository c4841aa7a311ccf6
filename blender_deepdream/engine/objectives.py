# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dream maximises: values that add and scale, as `0.7 * l2("_blocks.9") + 0.3 * mean("_blocks.4", [7])`.

The idea of objectives as values is lucid's (https://github.com/tensorflow/lucid).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..protocol.errors import SettingsError
from ..protocol.layers import Octaves

Measure = Callable[[Tensor], Tensor]
"""From a layer's 1xCxHxW activations to a scalar: a mean over the positions, so that tiles can be joined."""

MATCHES_AT_ONCE = 2**23
"""Pairs of a position in the image and one in the guide that are compared at a time: bounds the memory of a match."""

LEAST_COSINE = 0.1
"""A position that is unlike all that it shall become still grows towards it."""


@dataclass(frozen=True, slots=True)
class Term:
    """One layer's part. measure: what shall grow. channels: those that are measured; none: all. brain: whose layer it
    is, "" for the dream's own. octaves: in which it grows."""

    layer: str
    weight: float
    measure: Measure
    channels: tuple[int, ...] = ()
    brain: str = ""
    octaves: Octaves = Octaves()

    def __call__(self, activations: Tensor) -> Tensor:
        return self.measure(activations[:, list(self.channels)] if self.channels else activations)


@dataclass(frozen=True, slots=True)
class Objective:
    """A weighted sum of terms. A negative weight makes its layer calm down instead."""

    terms: tuple[Term, ...]

    def __add__(self, other: Objective) -> Objective:
        return Objective(self.terms + other.terms)

    def __mul__(self, factor: float) -> Objective:
        return Objective(tuple(replace(term, weight=term.weight * factor) for term in self.terms))

    __rmul__ = __mul__

    @property
    def layers(self) -> dict[str, tuple[str, ...]]:
        """The layers that are looked at, each once, by brain."""
        names = dict.fromkeys((term.brain, term.layer) for term in self.terms)
        return {brain: tuple(layer for owner, layer in names if owner == brain) for brain, _ in names}

    def shares(self) -> Objective:
        """The same mixture with weights whose magnitudes sum to 1. Raises SettingsError if all of them are 0."""
        total = sum(abs(term.weight) for term in self.terms)
        if not total:
            raise SettingsError("All layers have weight 0, so nothing would dream.", "Give one of them a weight.")
        return self * (1 / total)

    def in_octave(self, octave: int) -> Objective:
        """What dreams in this octave, counted from 1, as shares of it; no terms where nothing does."""
        terms = (term for term in self.terms if term.octaves.first <= octave <= term.octaves.last and term.weight)
        objective = Objective(tuple(terms))
        return objective.shares() if objective.terms else objective

    def measures(self, brain: str, activations: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """The scalar of each of a brain's terms, unweighted, from its activations by layer name."""
        return tuple(term(activations[term.layer]) for term in self.terms if term.brain == brain)


def l2(layer: str, channels: Sequence[int] = ()) -> Objective:
    """Whatever the layer sees, more of it: the mean of its squared activations, google/deepdream's objective.

    https://research.google/blog/inceptionism-going-deeper-into-neural-networks/
    """
    return Objective((Term(layer, 1.0, _mean_square, tuple(channels)),))


def mean(layer: str, channels: Sequence[int] = ()) -> Objective:
    """The mean activation: what single channels stand for shows best. A negative weight shows their opposite."""
    return Objective((Term(layer, 1.0, torch.mean, tuple(channels)),))


def guide_dot(layer: str, guide: Tensor, channels: Sequence[int] = ()) -> Objective:
    """Each position grows towards the position of the guide that it has the largest dot product with.

    guide: 1xCxhxw, the layer's activations on the guide, all channels. google/deepdream's objective for guides.
    """
    return Objective((Term(layer, 1.0, partial(_match, _vectors(guide, channels)), tuple(channels)),))


def guide_cosine(layer: str, guide: Tensor, channels: Sequence[int] = (), power: float = 1.0) -> Objective:
    """Each position grows towards the position of the guide that it is most like, however loud that one is.

    Dot product times cosine, as in lucid's caricatures: an image that is its own guide becomes more of what it is.
    https://github.com/tensorflow/lucid/blob/master/notebooks/misc/feature_inversion_caricatures.ipynb
    guide: as for `guide_dot`. power: of the cosine.
    """
    vectors = _vectors(guide, channels)
    directions = vectors / vectors.norm(dim=0).clamp_min(torch.finfo(vectors.dtype).tiny)
    return Objective((Term(layer, 1.0, partial(_match_direction, directions, power), tuple(channels)),))


def direction(layer: str, components: Sequence[tuple[int, float]], power: float = 1.0) -> Objective:
    """Each position grows along one direction in the space of the layer's channels: dot product times cosine.

    components: channels with their factors, the other channels' are 0; only their ratios count. power: of the cosine;
    above 0, what else a position sees has to go. lucid's objective for directions
    (https://github.com/tensorflow/lucid/blob/master/lucid/optvis/objectives.py).
    """
    factors = torch.tensor([factor for _, factor in components])
    channels = [channel for channel, _ in components]
    return Objective((Term(layer, 1.0, partial(_along, channels, factors / factors.norm(), power)),))


def _mean_square(activations: Tensor) -> Tensor:
    # the norm is one pass over them, and one back
    length: Tensor = torch.linalg.vector_norm(activations)
    return length.square() / activations.numel()


def _match(guide: Tensor, activations: Tensor) -> Tensor:
    seen = _vectors(activations)
    return (seen * nearest(seen.detach(), guide)).sum(dim=0).mean()


def _match_direction(guide: Tensor, power: float, activations: Tensor) -> Tensor:
    seen = _vectors(activations)
    return _with_cosine((seen * nearest(seen.detach(), guide)).sum(dim=0), seen, power)


def _along(channels: list[int], factors: Tensor, power: float, activations: Tensor) -> Tensor:
    seen = _vectors(activations)
    return _with_cosine(factors.to(seen) @ seen[channels], seen, power)


def _with_cosine(dot: Tensor, seen: Tensor, power: float) -> Tensor:
    """The mean over positions of their dot products with something of length 1, times a power of the cosine."""
    length = seen.square().sum(dim=0).clamp_min(torch.finfo(seen.dtype).tiny).sqrt()
    return (dot * (dot / length).clamp_min(LEAST_COSINE) ** power).mean()


def _vectors(activations: Tensor, channels: Sequence[int] = ()) -> Tensor:
    """CxN: one column for each position of 1xCxHxW activations."""
    return (activations[0, list(channels)] if channels else activations[0]).flatten(1)


def nearest(vectors: Tensor, guide: Tensor) -> Tensor:
    """For each of CxN vectors the one of CxM with which its dot product is largest: CxN."""
    at_once = max(1, MATCHES_AT_ONCE // guide.shape[1])
    best = [(part.T @ guide).argmax(dim=1) for part in torch.split(vectors, at_once, dim=1)]
    return guide[:, torch.cat(best)]
