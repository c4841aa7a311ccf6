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

Measure = Callable[[Tensor], Tensor]
"""From a layer's 1xCxHxW activations to a scalar: a mean over the positions, so that tiles can be joined."""

MATCHES_AT_ONCE = 2**23
"""Pairs of a position in the image and one in the guide that are compared at a time: bounds the memory of a match."""

LEAST_COSINE = 0.1
"""A position that is unlike everything in the guide still grows towards it."""


@dataclass(frozen=True, slots=True)
class Term:
    """One layer's part. measure: what shall grow. channels: those that are measured; none: all."""

    layer: str
    weight: float
    measure: Measure
    channels: tuple[int, ...] = ()

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
    def layers(self) -> tuple[str, ...]:
        """The layers that are looked at, each once."""
        return tuple(dict.fromkeys(term.layer for term in self.terms))

    def shares(self) -> Objective:
        """The same mixture with weights whose magnitudes sum to 1. Raises SettingsError if all of them are 0."""
        total = sum(abs(term.weight) for term in self.terms)
        if not total:
            raise SettingsError("All layers have weight 0, so nothing would dream.", "Give one of them a weight.")
        return self * (1 / total)

    def measures(self, activations: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """The scalar of each term, unweighted, from activations by layer name."""
        return tuple(term(activations[term.layer]) for term in self.terms)


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


def guide_cosine(layer: str, guide: Tensor, channels: Sequence[int] = ()) -> Objective:
    """Each position grows towards the position of the guide that it is most like, however loud that one is.

    Dot product times cosine, as in lucid's caricatures: an image that is its own guide becomes more of what it is.
    https://github.com/tensorflow/lucid/blob/master/notebooks/misc/feature_inversion_caricatures.ipynb
    guide: as for `guide_dot`.
    """
    vectors = _vectors(guide, channels)
    directions = vectors / vectors.norm(dim=0).clamp_min(torch.finfo(vectors.dtype).tiny)
    return Objective((Term(layer, 1.0, partial(_match_direction, directions), tuple(channels)),))


def _mean_square(activations: Tensor) -> Tensor:
    return activations.square().mean()


def _match(guide: Tensor, activations: Tensor) -> Tensor:
    seen = _vectors(activations)
    return (seen * nearest(seen.detach(), guide)).sum(dim=0).mean()


def _match_direction(guide: Tensor, activations: Tensor) -> Tensor:
    seen = _vectors(activations)
    dot = (seen * nearest(seen.detach(), guide)).sum(dim=0)
    length = seen.square().sum(dim=0).clamp_min(torch.finfo(seen.dtype).tiny).sqrt()
    return (dot * (dot / length).clamp_min(LEAST_COSINE)).mean()


def _vectors(activations: Tensor, channels: Sequence[int] = ()) -> Tensor:
    """CxN: one column for each position of 1xCxHxW activations."""
    return (activations[0, list(channels)] if channels else activations[0]).flatten(1)


def nearest(vectors: Tensor, guide: Tensor) -> Tensor:
    """For each of CxN vectors the one of CxM with which its dot product is largest: CxN."""
    at_once = max(1, MATCHES_AT_ONCE // guide.shape[1])
    best = [(part.T @ guide).argmax(dim=1) for part in torch.split(vectors, at_once, dim=1)]
    return guide[:, torch.cat(best)]
