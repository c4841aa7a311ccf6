# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pictures a brain learns from and which it is tested with, and in which order it is shown them; all by seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Split(NamedTuple):
    """Places in the list of pictures."""

    train: Indices
    validation: Indices


def split(labels: Indices, hashes: Sequence[str], share: float, seed: int) -> Split:
    """About this share of each class for validation: at least one picture, and at least one left to learn from.

    labels: each picture's class; every class has two pictures or more. hashes: of their files; a picture's lot depends
    on its own and the seed, so that a data set that grows keeps nearly all of its split.
    """
    order = np.array([hashlib.sha256(f"{seed} {text}".encode()).hexdigest() for text in hashes])
    train, validation = [], []
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        places = places[np.argsort(order[places], kind="stable")]
        count = min(max(1, round(share * len(places))), len(places) - 1)
        validation.append(places[:count])
        train.append(places[count:])
    return Split(np.sort(np.concatenate(train)), np.sort(np.concatenate(validation)))


class Sampling:
    """Which pictures each epoch shows, in batches that are always full.

    Balanced, the classes take turns; otherwise there is one turn. Within its turn every picture comes once before any
    comes again, across epochs.
    """

    def __init__(self, labels: Indices, train: Indices, batch: int, *, balance: bool, seed: int) -> None:
        """labels: of all pictures. train: the places of those to show."""
        mine = labels[train]
        self._turns = [train[mine == label] for label in np.unique(mine)] if balance else [train]
        self._batch = batch
        self._seed = seed
        self.steps = max(1, round(len(train) / batch))

    def epoch(self, number: int) -> Indices:
        """Places of pictures: steps x batch."""
        count = self.steps * self._batch
        draws = np.arange(number * count, (number + 1) * count)
        places = np.empty(count, np.int64)
        for turn, pictures in enumerate(self._turns):
            mine = draws % len(self._turns) == turn
            places[mine] = self._drawn(turn, pictures, draws[mine] // len(self._turns))
        np.random.default_rng([self._seed, number]).shuffle(places)
        return places.reshape(self.steps, self._batch)

    def _drawn(self, turn: int, pictures: Indices, draws: Indices) -> Indices:
        """The pictures of one turn at these draws, each round of which is shuffled anew."""
        rounds, within = np.divmod(draws, len(pictures))
        found = np.empty(len(draws), np.int64)
        for number in np.unique(rounds):
            order = np.random.default_rng([self._seed, turn, int(number)]).permutation(pictures)
            found[rounds == number] = order[within[rounds == number]]
        return found
