# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dream maximises: values that add and scale, as `0.7 * l2("_blocks.9") + 0.3 * l2("_blocks.4")`.

The idea of objectives as values is lucid's (https://github.com/tensorflow/lucid).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from ..protocol.errors import SettingsError
from ..protocol.settings import LayerWeights


@dataclass(frozen=True, slots=True)
class Term:
    """One layer's part. measure: from the layer's 1xCxHxW activations to the scalar that shall grow."""

    layer: str
    weight: float
    measure: Callable[[Tensor], Tensor]


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
        return tuple(term.measure(activations[term.layer]) for term in self.terms)


def l2(layer: str) -> Objective:
    """Whatever the layer sees, more of it: the mean of its squared activations, google/deepdream's objective.

    https://research.google/blog/inceptionism-going-deeper-into-neural-networks/
    """
    return Objective((Term(layer, 1.0, _mean_square),))


def of_layers(layers: LayerWeights) -> Objective:
    """L2 on several layers, each weight a share of the whole. Raises SettingsError."""
    terms = tuple(term for name, weight in layers for term in (weight * l2(name)).terms)
    return Objective(terms).shares()


def _mean_square(activations: Tensor) -> Tensor:
    return activations.square().mean()
