# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes of a training: a brain with its recipe and its measures on the card; the best one so far, at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..engine import brain_file
from ..engine.brain import BrainCard
from ..engine.brain_file import Contents
from ..protocol.layers import LayerWeights
from ..protocol.recipe import Recipe
from .averaging import state_of
from .history import EpochReport
from .trainable import Trainable

KEPT = 2
"""Brains: the older of two checkpoints may tell of the one before."""
MAX_CONFUSION = 100
"""Classes: what more of them are taken for would be too long for a card."""
OWN_PICTURES = "the pictures it was trained on are the artist's own"

_BRAIN = "brain-"
_NAMED_CLASSES = 6
_DEFAULT_DEPTH = 2 / 3
"""How deep, as a share of all layers, the default one lies where no layer is coarser than others."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A brain that was trained. report: of the epoch that it is of. measured: what is on its card besides: shares of
    right answers, 0 to 1, by name."""

    contents: Contents
    report: EpochReport
    measured: Mapping[str, float]

    def save(self, path: Path) -> BrainCard:
        """Write the brain's file; the same training makes the same bytes. Raises StorageError."""
        return brain_file.save(path, *self.contents)


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a brain before it is trained. data: counts of pictures, by name."""

    name: str
    recipe: Recipe
    base: BrainCard
    data: Mapping[str, int]

    def contents(self, network: Trainable, report: EpochReport, measured: Mapping[str, float]) -> Contents:
        """The brain that a network with these measures is."""
        facts: dict[str, Any] = {
            "recipe": self.recipe.to_json(),
            "base": {"name": self.base.name, "id": self.base.id, "title": self.base.title},
            "data": dict(self.data),
            "report": _brief(report).to_json(),
            "measured": dict(measured),
        }
        card = replace(
            network.card,
            name=self.name,
            title=_title(network.card.classes, self.base.title),
            licence=_licence(self.base.licence),
            source=f"trained here from {self.base.name}",
            default_layers=_default_layers(network.card),
            recipe=facts,
        )
        return Contents(card, _copies(network.tensors(state_of(network))), network.description)


def keep(folder: Path, contents: Contents, epoch: int) -> None:
    """Keep the best brain so far beside the checkpoints. Raises StorageError."""
    brain_file.save(folder / f"{_BRAIN}{epoch:05d}{brain_file.SUFFIX}", *contents)
    for path in _kept(folder)[KEPT:]:
        path.unlink(missing_ok=True)


def kept(folder: Path, epoch: int | None = None) -> Trained | None:
    """The best brain so far of the training in a folder, or the one of an epoch; None if there is none yet.

    Raises BrainFileError where it is damaged.
    """
    found = [path for path in _kept(folder) if epoch is None or path.stem == f"{_BRAIN}{epoch:05d}"]
    if not found:
        return None
    contents = brain_file.read(found[0])
    facts = contents.card.recipe
    return Trained(contents, EpochReport.from_json(facts["report"]), facts["measured"])


def forget(folder: Path, after: int) -> None:
    """Delete the brains of later epochs than that: the training went back behind them."""
    for path in _kept(folder):
        if path.stem > f"{_BRAIN}{after:05d}":
            path.unlink(missing_ok=True)


def _kept(folder: Path) -> list[Path]:
    """The latest first."""
    return sorted(folder.glob(f"{_BRAIN}*{brain_file.SUFFIX}"), reverse=True)


def _brief(report: EpochReport) -> EpochReport:
    """What a card can hold, the same for each run of the same training."""
    few = len(report.confusion) <= MAX_CONFUSION
    return replace(report, seconds=0.0, confusion=report.confusion if few else ())


def _title(classes: tuple[str, ...], base: str) -> str:
    named = ", ".join(classes[:_NAMED_CLASSES]) + (", ..." if len(classes) > _NAMED_CLASSES else "")
    return f"{named} (from {base})"[:500]


def _licence(base: str) -> str:
    return base if OWN_PICTURES in base else f"{base}; {OWN_PICTURES}"


def _default_layers(card: BrainCard) -> LayerWeights:
    """What a trained brain dreams with unless somebody says otherwise: the last layer before the coarsest ones.

    Found by looking: it dreams faces and things; those before it parts of them; the coarsest ones, a few cells for a
    whole picture of the training, mostly texture.
    """
    coarsest = max(layer.stride for layer in card.layers)
    finer = [layer for layer in card.layers if layer.stride < coarsest]
    chosen = finer[-1] if finer else card.layers[round((len(card.layers) - 1) * _DEFAULT_DEPTH)]
    return ((chosen.name, 1.0),)


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
