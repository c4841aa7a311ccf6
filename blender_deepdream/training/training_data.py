# SPDX-License-Identifier: GPL-3.0-or-later
"""What a brain learns from: a folder's pictures in batches, on the device, each time another part in another light."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..engine.brain import Brain
from ..engine.folders import cache_folder
from ..engine.zoo import load_brain
from ..protocol.recipe import Recipe
from .augmentation import Augmentation, Chances, stored_side
from .clusters import sort_into_clusters
from .dataset import Dataset, find_pictures, sift
from .one_ahead import one_ahead
from .photometric import colors_of, components
from .picture_cache import PictureCache
from .preparation import Preparation
from .split import Indices, Sampling, split

_VERSION = 1
"""Raised when the same recipe and pictures come to other batches."""

_DECIDING = ("side", "photometric", "crop", "background", "batch", "balance", "validation", "seed")
"""What of a recipe decides the batches."""

_TRAIN, _TEST = range(2)
"""Streams of random numbers."""

COLOR_SAMPLES = 2_000
"""Pictures whose colours tell the principal components."""


class Batch(NamedTuple):
    """images: Nx3xSxS float32, dream space (RGB, sRGB-encoded, 0 to 1), augmented. labels: N, int64. Both on the
    device."""

    images: Tensor
    labels: Tensor


class Prepared(NamedTuple):
    """A batch before anything is done on the device: Nx4xCxC uint8, labels, and what was drawn."""

    pictures: Tensor
    labels: Tensor
    chances: Chances


class Share(NamedTuple):
    """Which part of each batch a process gets, of how many."""

    rank: int
    world: int

    def of(self, count: int) -> slice:
        return slice(self.rank * count // self.world, (self.rank + 1) * count // self.world)


WHOLE = Share(0, 1)


class TrainingData:
    """A data set, split, sampled and augmented as a recipe says.

    classes: their names; labels are places among them. dataset: the pictures, and what was left out. cache: where their
    pixels are. fingerprint: SHA-256 of all that decides the batches. steps: batches in an epoch.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, cache: PictureCache, device: torch.device) -> None:
        self.dataset = dataset
        self.classes = dataset.classes
        self._recipe = recipe
        self.cache = cache
        self._device = device
        self._lines = dataset.lines
        self._labels = np.array([picture.label for picture in dataset.pictures], np.int64)
        self._aspects = np.array([line.aspect for line in self._lines])
        self._split = split(self._labels, [line.sha256 for line in self._lines], recipe.validation, recipe.seed)
        self._sampling = Sampling(
            self._labels, self._split.train, recipe.batch, balance=recipe.balance, seed=recipe.seed
        )
        opaque = all(line.opaque for line in self._lines)
        self._augmentation = Augmentation(recipe, self._principal(), opaque=opaque)
        self.steps = self._sampling.steps
        self.fingerprint = self._fingerprint()

    @property
    def train_count(self) -> int:
        """Pictures to learn from."""
        return len(self._split.train)

    @property
    def validation_count(self) -> int:
        """Pictures to test with."""
        return len(self._split.validation)

    def batches(self, epoch: int, first: int = 0, share: Share = WHOLE) -> Iterator[Batch]:
        """The batches of an epoch from the `first` on; of each the part of this process.

        The same whatever went before, on every device and for any number of processes. Raises StorageError.
        """
        order = self._sampling.epoch(epoch)

        def prepare(number: int) -> Prepared:
            places = order[number]
            rng = np.random.default_rng([self._recipe.seed, _TRAIN, epoch, number])
            chances = self._augmentation.draw(self._aspects[places], rng)
            part = share.of(len(places))
            return self._prepare(places[part], chances.part(part))

        yield from map(self._batch, one_ahead(prepare, range(first, len(order))))

    def validation(self, relit: bool = False) -> Iterator[Batch]:
        """The middle of each picture that was put aside, once, and always the same.

        relit: each in another light, before the same ground.
        """
        pictures = self._split.validation
        for number, start in enumerate(range(0, len(pictures), self._recipe.batch)):
            places = pictures[start : start + self._recipe.batch]
            rng = np.random.default_rng([self._recipe.seed, _TEST, number])
            chances = self._augmentation.draw_plain(self._aspects[places], rng, relit=relit)
            yield self._batch(self._prepare(places, chances))

    def _prepare(self, places: Indices, chances: Chances) -> Prepared:
        return Prepared(self._pinned(self._pixels(places)), self._pinned(self._labels[places]), chances)

    def _pinned(self, numbers: NDArray[Any]) -> Tensor:
        """Where a GPU can fetch it from by itself."""
        tensor = torch.from_numpy(numbers)
        return tensor.pin_memory() if self._device.type == "cuda" else tensor

    def _batch(self, prepared: Prepared) -> Batch:
        pictures, labels, chances = prepared
        pictures = pictures.to(self._device, non_blocking=True)
        return Batch(self._augmentation.apply(pictures, chances), labels.to(self._device, non_blocking=True))

    def _pixels(self, places: Indices) -> NDArray[np.uint8]:
        return self.cache.pixels([self._lines[place] for place in places])

    def _principal(self) -> NDArray[np.float64]:
        """The components of the colours that are learned from, where they are opaque."""
        places = self._split.train[:: -(-len(self._split.train) // COLOR_SAMPLES)]
        colors = [colors_of(self._pixels(places[number : number + 1])[0]) for number in range(len(places))]
        return components(np.concatenate(colors))

    def _fingerprint(self) -> str:
        recipe = self._recipe.to_json()
        told = {
            "version": _VERSION,
            "recipe": {name: recipe[name] for name in _DECIDING},
            "classes": self.classes,
            "pictures": [(line.sha256, label) for line, label in zip(self._lines, self._labels.tolist(), strict=True)],
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def open_training_data(
    folder: Path,
    recipe: Recipe,
    device: torch.device,
    caches: Path | None = None,
    base: Callable[[], Brain] | None = None,
) -> Generator[Preparation, None, TrainingData]:
    """A folder's pictures, ready to be learned from. Those that were not decoded before are now, and those without
    sub-folders are sorted into clusters; how far that is is yielded.

    caches: where decoded pictures are kept; None: in the user's cache folder. base: gives the brain whose eyes sort;
    None: the recipe's base, out of the user's library.
    Raises InputError for a folder that nothing can be learned from, StorageError, and what loading the base does.
    """
    folder = folder.absolute()
    found = find_pictures(folder)
    cache = PictureCache(folder, stored_side(recipe), caches or cache_folder() / "pictures")
    lines = yield from cache.fill([picture.path for picture in found])
    dataset = sift(folder, found, lines)
    if dataset.is_flat:
        brain = base() if base else load_brain(recipe.base, device)
        labels = yield from sort_into_clusters(cache, dataset.lines, brain, recipe.clusters, recipe.seed)
        dataset = dataset.sorted_into(labels.tolist())
    return TrainingData(dataset, recipe, cache, device)
