# SPDX-License-Identifier: GPL-3.0-or-later
"""How kitsch is a dream: what a classifier trained on ImageNet sees in it, and how far dreams lie apart.

After J. T. Nimoy, "Deepdream: Avoiding Kitsch", 2015: dreams are alike because everybody dreams with one network,
trained on dogs and birds. Here an artist can check that a new brain really dreams something else.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..protocol.errors import InputError, UnknownLayerError
from ..protocol.messages import Progress
from . import dreamspace
from .atlas import Cell, atlas, usual_source
from .brain import Brain, Layer
from .cell_cache import CellCache
from .images import Image
from .memory import memory_errors
from .networks.imagenet import imagenet_classes
from .networks.imagenet_families import families
from .octaves import Size, resize_picture

CROP_SIDE = 224
"""What networks trained on ImageNet were shown."""

SCALES = (1.0, 1.5, 2.25)
"""Shorter sides at which an image is looked at, in crops: the whole of it, and its parts."""

MAX_CROPS_ACROSS = 4
"""Crops along one axis, at most: they lie evenly, and in a long image apart."""

SMALLEST_SIDE = 16
"""Less of an image is nothing to classify."""

YARDSTICK_LAYERS = ("_blocks.4", "_blocks.6", "_blocks.9", "_blocks.12")
YARDSTICK_SEEDS = (0, 1)


@dataclass(frozen=True, slots=True)
class Impression:
    """What a brain sees in one image. shares: probability of each of ImageNet's classes, the mean over crops: 1000.
    features: its last layer's channels, the mean over positions and crops."""

    shares: Tensor
    features: Tensor

    def classes(self, count: int) -> list[tuple[str, float]]:
        """The likeliest classes, each with its share."""
        best = self.shares.topk(count)
        return [(imagenet_classes()[int(place)], float(share)) for share, place in zip(*best, strict=True)]

    def families(self) -> dict[str, float]:
        """The share of each family, largest first; together they are 1."""
        found = {family: float(self.shares[list(places)].sum()) for family, places in families().items()}
        return dict(sorted(found.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How far dreams of lite0 lie apart. same_layer: one layer's dreams of two sources. other_layer: two layers' dreams
    of one source. Both are means of `distance`."""

    same_layer: float
    other_layer: float


def impression(image: Image, brain: Brain) -> Impression:
    """What the brain sees in an image of any colour space. Raises InputError for an image too small, OutOfMemoryError,
    and what `check_judge` raises."""
    judge = check_judge(brain)
    if min(image.height, image.width) < SMALLEST_SIDE:
        raise InputError(
            f"An image of {image.width} x {image.height} pixels shows nothing.",
            f"Give sides of {SMALLEST_SIDE} or more.",
        )
    layer = feature_layer(brain)
    names = [layer.name, judge.name]
    stride = brain.stride(names)
    side = -(-max(CROP_SIDE, brain.card.smallest) // stride) * stride
    with memory_errors(), torch.no_grad():
        picture = dreamspace.enter(image, 0.0, brain.device)
        seen = [brain.activations(crop, names) for crop in crops(picture, side)]
    shares = torch.stack([answer[judge.name].mean((2, 3))[0].softmax(0) for answer in seen]).mean(0)
    features = torch.stack([answer[layer.name].mean((2, 3))[0] for answer in seen]).mean(0)
    return Impression(shares.cpu(), features.cpu())


def check_judge(brain: Brain) -> Layer:
    """The brain's classifier. Raises UnknownLayerError if it knows other classes than ImageNet's, or none."""
    if brain.card.classifier is None or brain.card.classes != imagenet_classes():
        raise UnknownLayerError(
            f"Brain {brain.card.name!r} does not know ImageNet's 1,000 classes.",
            "Ask one that was trained on them: lite0.",
        )
    return brain.card.classifier


def feature_layer(brain: Brain) -> Layer:
    """The layer in which distances are measured: the last one before the classifier."""
    return brain.card.layers[-1]


def crops(picture: Tensor, side: int = CROP_SIDE) -> Iterator[Tensor]:
    """Squares from all over a picture (1x3xHxW, dream space), at several scales, each as 1x3xSxS of this side."""
    for scale in SCALES:
        part = max(1, round(min(picture.shape[-2:]) / scale))
        for top, left in itertools.product(*(_places(length, part) for length in picture.shape[-2:])):
            yield resize_picture(picture[..., top : top + part, left : left + part], Size(side, side))


def distance(first: Tensor, second: Tensor) -> float:
    """The cosine distance of two images' features: 0 alike, 1 nothing in common, 2 opposite."""
    return 1 - float(torch.cosine_similarity(first, second, dim=0))


def pairwise(impressions: Sequence[Impression]) -> dict[tuple[int, int], float]:
    """The distance of every two images, by their places."""
    pairs = itertools.combinations(range(len(impressions)), 2)
    return {(a, b): distance(impressions[a].features, impressions[b].features) for a, b in pairs}


def mean_distance(impressions: Sequence[Impression]) -> float:
    """The mean of `pairwise`. impressions: two or more."""
    distances = pairwise(impressions).values()
    return sum(distances) / len(distances)


def yardstick(dreamer: Brain, judge: Brain, cache: CellCache) -> Generator[Progress, None, Yardstick]:
    """What distances are to be compared with: those of an unsuspicious brain's own dreams. Yields its progress.

    dreamer: lite0. judge: who measures. Dreams are kept in the cache, so that only the first time takes long.
    """
    seen: list[list[Impression]] = []
    for seed in YARDSTICK_SEEDS:
        seen.append([])
        for news in atlas(dreamer, usual_source(seed=seed), YARDSTICK_LAYERS, cache=cache):
            if isinstance(news, Cell):
                seen[-1].append(impression(news.image(), judge))
            else:
                yield replace(news, fraction=(len(seen) - 1 + news.fraction) / len(YARDSTICK_SEEDS), eta=None)
    same = [mean_distance(layer) for layer in zip(*seen, strict=True)]
    other = [mean_distance(source) for source in seen]
    return Yardstick(sum(same) / len(same), sum(other) / len(other))


def _places(length: int, side: int) -> list[int]:
    """Where along one axis crops of this side begin: from end to end, in equal steps, touching if there are enough."""
    count = min(MAX_CROPS_ACROSS, math.ceil(length / side))
    return [round(step * (length - side) / max(1, count - 1)) for step in range(count)]
