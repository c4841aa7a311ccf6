# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures without classes, sorted into some by what the base brain sees in them.

Features are the base brain's last layer, the mean over positions, centred, of its strongest components, of length 1:
k-means then compares directions. Their number is the one with the best silhouette (Rousseeuw, 1987): of 1,851
emoji without their nine classes it finds ten: flags, faces, people, signs, ...
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..engine.brain import Brain
from ..engine.whole_files import write_bytes
from ..protocol.errors import InputError
from ..protocol.wire import canonical_hash
from .augmentation import middles
from .cache_index import Line
from .picture_cache import PictureCache
from .preparation import Preparation

Labels = NDArray[np.int64]

MOST_CLUSTERS = 16
"""Found without being asked for."""
COMPONENTS = 32
TRIES, ROUNDS = 4, 100
"""Beginnings of k-means, of which the best counts, and steps of each at most."""
SAMPLE = 2_000
"""Pictures that the silhouette is measured on, at most."""

_VERSION = 1
_SEEN_SIDE = 128
_AT_ONCE = 32
_GREY = 0.5


def sort_into_clusters(
    cache: PictureCache, lines: Sequence[Line], brain: Brain, count: int, seed: int
) -> Generator[Preparation, None, Labels]:
    """The cluster of each picture, from 0, the largest first; each has two pictures or more.

    count: of clusters; 0: as many as show best. What was found is kept beside the decoded pictures, so that it comes
    again to the bit. Raises InputError for too few pictures, StorageError.
    """
    if len(lines) < 2 * max(2, count):
        raise InputError(
            f"{len(lines)} pictures cannot be sorted into {max(2, count)} classes of two or more.",
            "Add pictures, or ask for fewer clusters.",
        )
    told = {"version": _VERSION, "brain": brain.card.id, "side": cache.side, "count": count, "seed": seed}
    told |= {"pictures": [line.sha256 for line in lines]}
    path = cache.folder / f"clusters-{canonical_hash(told)[:32]}.json"
    known = _known(path, len(lines))
    if known is not None:
        return known
    labels = cluster((yield from features(cache, lines, brain)), count, seed)
    write_bytes(path, json.dumps(labels.tolist()).encode())
    return labels


def features(cache: PictureCache, lines: Sequence[Line], brain: Brain) -> Generator[Preparation, None, Tensor]:
    """What the brain's last layer answers to the middle of each picture: NxC, on the CPU. Raises StorageError."""
    layer = brain.card.layers[-1]
    side = -(-max(_SEEN_SIDE, brain.card.smallest) // layer.stride) * layer.stride
    seen = []
    for start in range(0, len(lines), _AT_ONCE):
        yield Preparation("sorting", start, len(lines))
        some = lines[start : start + _AT_ONCE]
        pictures = torch.from_numpy(cache.pixels(some)).to(brain.device)
        images = middles(pictures, np.array([line.aspect for line in some]), side, _GREY)
        with torch.no_grad():
            seen.append(brain.activations(images, [layer.name])[layer.name].mean((2, 3)).cpu())
    return torch.cat(seen)


def cluster(seen: Tensor, count: int, seed: int) -> Labels:
    """The cluster of each row (NxC), the largest first. count: 0 for the number with the best silhouette."""
    points = _directions(seen)
    generator = torch.Generator().manual_seed(seed)
    if count:
        return _ordered(_k_means(points, count, generator))
    most = min(MOST_CLUSTERS, len(points) // 2)
    found = [_k_means(points, number, generator) for number in range(2, most + 1)]
    sample = torch.randperm(len(points), generator=generator)[:SAMPLE]
    distances = torch.cdist(points[sample], points[sample])
    return _ordered(max(found, key=lambda labels: silhouette(distances, labels[sample])))


def silhouette(distances: Tensor, labels: Tensor) -> float:
    """How well clusters lie apart, -1 to 1: the mean of (b - a) / max(a, b), a and b being a point's mean distances to
    the others of its cluster and to the nearest other cluster. distances: NxN. A cluster's only point counts 0."""
    kinds, own = torch.unique(labels, return_inverse=True)
    members = functional.one_hot(own, len(kinds)).to(distances)
    sizes = members.sum(0)
    sums = distances @ members
    rows = torch.arange(len(own))
    inside = sums[rows, own] / (sizes[own] - 1).clamp(min=1)
    others = sums / sizes
    others[rows, own] = torch.inf
    outside = others.min(1).values
    value = (outside - inside) / torch.maximum(outside, inside).clamp(min=1e-12)
    return float(torch.where(sizes[own] > 1, value, 0).mean()) if len(kinds) > 1 else -1.0


def _directions(seen: Tensor) -> Tensor:
    centred = (seen - seen.mean(0)).double()
    strongest = torch.linalg.svd(centred, full_matrices=False).Vh[:COMPONENTS]
    return functional.normalize(centred @ strongest.T)


def _k_means(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Labels of N points (NxC) in up to `count` clusters of two or more, the best of some tries."""
    tries = (_settle(points, _beginnings(points, count, generator)) for _ in range(TRIES))
    centres = min(tries, key=lambda centres: float(torch.cdist(points, centres).min(1).values.square().sum()))
    sizes = _nearest(points, centres).bincount(minlength=count)
    # who would be alone joins the next nearest
    labels: Tensor = torch.unique(_nearest(points, centres[sizes > 1]), return_inverse=True)[1]
    return labels


def _beginnings(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Centres far from each other: k-means++ (Arthur and Vassilvitskii, 2007)."""
    centres = points[torch.randint(len(points), (1,), generator=generator)]
    while len(centres) < count:
        odds = torch.cdist(points, centres).min(1).values.square() + 1e-12
        centres = torch.cat([centres, points[torch.multinomial(odds, 1, generator=generator)]])
    return centres


def _settle(points: Tensor, centres: Tensor) -> Tensor:
    """Where Lloyd's steps bring the centres to."""
    for _ in range(ROUNDS):
        labels = _nearest(points, centres)
        sizes = labels.bincount(minlength=len(centres))[:, None]
        sums = torch.zeros_like(centres).index_add_(0, labels, points)
        moved = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points, centres).argmin(1)


def _ordered(labels: Tensor) -> Labels:
    """The same clusters, the largest called 0."""
    order = labels.bincount().argsort(descending=True, stable=True)
    return order.argsort()[labels].numpy()


def _known(path: Path, count: int) -> Labels | None:
    try:
        labels = np.array(json.loads(path.read_bytes()))
    except (OSError, ValueError):  # not sorted yet, or cut short
        return None
    whole = labels.shape == (count,) and labels.dtype == np.int64 and labels.min() >= 0
    return labels if whole else None
