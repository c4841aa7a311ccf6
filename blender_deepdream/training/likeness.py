# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a data set is in a dream: the share of its patches that look more like a patch of the set's pictures than
like one of others.

A patch is what a third network, the judge, answers at one place; patches are compared by cosine. The judge should be
another network than the one that dreamed: a brain sees in its own dreams whatever it likes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..engine import dreamspace
from ..engine.brain import Brain, Layer
from ..engine.images import Image
from ..engine.memory import memory_errors
from ..engine.octaves import Size, resize_picture
from ..protocol.errors import InputError
from .backgrounds import put_behind
from .dataset import find_pictures
from .decoding import LeftOutError, decode
from .geometry import article_boxes, cut_out, middle_boxes

SIDE = 128
"""Pixels of a square that the judge is shown of a picture."""

DREAM_SIDE = 256
"""Shorter side of a dream as the judge sees it: things in it are about as large as a whole picture of the set."""

CROPS = 300
"""Squares that are looked at of a set: the middle of each picture, and parts of them where there are fewer pictures."""

MAX_PATCHES = 6000
"""Of each set: both have as many, so that neither is the likelier neighbour."""

HELD_OUT = 5
"""Each so manieth picture is kept back, to tell what a share means."""

DEPTH = 0.6
"""How deep in the judge patches are compared: shapes, neither edges nor classes. Found with SqueezeNet, by looking."""

_STORED = 256
_GREY = 0.5


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture: 1x4xHxW, RGBA, dream space, colour multiplied by alpha. aspect: width / height that it should have."""

    planes: Tensor
    aspect: float


@dataclass(frozen=True, slots=True)
class Bank:
    """Patches of pictures, NxC, each of length 1. held: those of pictures that were kept back."""

    patches: Tensor
    held: Tensor


def pictures_of(folder: Path, seed: int = 0) -> Iterator[Pixels]:
    """The pictures below a folder in a random order; what is no picture is passed over. Raises InputError for a folder
    that is none, or empty."""
    paths = [found.path for found in find_pictures(folder)]
    for place in np.random.default_rng(seed).permutation(len(paths)):
        try:
            decoded = decode(paths[place], _STORED)
        except LeftOutError:
            continue
        yield Pixels(torch.from_numpy(decoded.pixels)[None].float() / 255, decoded.aspect)


def pixels_of(image: Image) -> Pixels:
    """An image as one of a set, opaque."""
    color = dreamspace.enter(image, 0.0, torch.device("cpu"))
    return Pixels(torch.cat([color, torch.ones_like(color[:, :1])], 1), image.width / image.height)


def bank_of(pictures: Iterator[Pixels], judge: Brain, seed: int = 0) -> Bank:
    """What the judge answers to at most `CROPS` pictures, or to that many parts. Raises InputError for fewer than two
    pictures, OutOfMemoryError."""
    chosen = list(itertools.islice(pictures, CROPS))
    if len(chosen) < 2:
        raise InputError("There are fewer than two pictures to compare with.", "Name a folder that holds some.")
    every = min(HELD_OUT, len(chosen))
    parts = [_parts(picture, -(-CROPS // len(chosen)), seed + number) for number, picture in enumerate(chosen)]
    held = [part for number, some in enumerate(parts) if number % every == 0 for part in some]
    kept = [part for number, some in enumerate(parts) if number % every for part in some]
    return Bank(_patches_of(kept, judge, seed), _patches_of(held, judge, seed))


def patches_of(image: Image, judge: Brain) -> Tensor:
    """NxC: those of a dream."""
    picture = dreamspace.enter(image, 0.0, judge.device)
    stride = judging_layer(judge).stride
    scale = DREAM_SIDE / min(picture.shape[-2:])
    height, width = (max(1, round(side * scale / stride)) * stride for side in picture.shape[-2:])
    return _answers(resize_picture(picture, Size(height, width)), judge)[0].flatten(1).T.cpu()


def share_of(patches: Tensor, own: Tensor, others: Tensor) -> float:
    """The share of patches whose nearest neighbour is among `own`; as many of both are compared with."""
    count = min(len(own), len(others))
    nearest = [(patches @ bank[_spread(len(bank), count)].T).amax(1) for bank in (own, others)]
    return float((nearest[0] > nearest[1]).float().mean())


def judging_layer(judge: Brain) -> Layer:
    """The layer whose answers are compared."""
    layers = judge.card.layers
    return layers[round(DEPTH * (len(layers) - 1))]


def _parts(picture: Pixels, count: int, seed: int) -> list[Tensor]:
    """The middle of a picture, then parts from all over it: 1x4xSxS each."""
    aspect = np.array([picture.aspect])
    numbers = np.random.default_rng(seed)
    boxes = [middle_boxes(aspect), *(article_boxes(aspect, numbers) for _ in range(count - 1))]
    return [cut_out(picture.planes, box, SIDE) for box in boxes]


def _patches_of(parts: Sequence[Tensor], judge: Brain, seed: int) -> Tensor:
    """At most `MAX_PATCHES`, NxC, where the parts are opaque."""
    found = []
    for part in parts:
        ground = torch.full_like(part[:, :3], _GREY)
        answers = _answers(put_behind(part, ground).to(judge.device), judge).cpu()
        opaque = functional.interpolate(part[:, 3:], size=answers.shape[-2:], mode="area")[0, 0] > 0.5
        found.append(answers[0][:, opaque].T)
    patches = torch.cat(found)
    if not len(patches):
        raise InputError("The pictures to compare with are transparent.", "Name others.")
    order = torch.randperm(len(patches), generator=torch.Generator().manual_seed(seed))
    return patches[order[:MAX_PATCHES]]


def _answers(picture: Tensor, judge: Brain) -> Tensor:
    """1xCxhxw, of length 1 at each place."""
    layer = judging_layer(judge).name
    with memory_errors(), torch.no_grad():
        return functional.normalize(judge.activations(picture, [layer])[layer], dim=1)


def _spread(length: int, count: int) -> NDArray[np.int64]:
    return np.linspace(0, length - 1, count).round().astype(np.int64)
