# SPDX-License-Identifier: GPL-3.0-or-later
"""An atlas: what each layer of a brain dreams, or each of a layer's strongest channels, all from one source.

Brains are chosen by eye. Early layers show what they dream in any picture of a few hundred pixels; the things of late
ones are larger than that, so these dream in a larger picture, which the cell shows smaller.
"""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from ..protocol.atlas import CELL_SIDES, MAX_CELLS
from ..protocol.errors import ImageError, InputError, SettingsError
from ..protocol.layers import CLASSES, read_choice
from ..protocol.messages import ColorSpace, Progress
from ..protocol.settings import DreamSettings
from ..protocol.wire import canonical_hash, content_hash
from . import dreamspace
from .brain import Brain, Layer
from .cell_cache import CellCache
from .classes import find_classes
from .dream import dream, fingerprint
from .images import Image
from .memory import memory_errors
from .nothing import KINDS, named
from .octaves import Size, resize_picture
from .steps import retold
from .wanted import brains_of, no_other_brain, objective_of

ATLAS_VERSION = 1
"""Raised whenever the same cell would come to other bits though the engine stayed the same."""

DREAM_SIDE = 192
"""What dreams for a cell has at least this side: in less than that no layer has room."""

JPEG_QUALITY = 93


class Recipe(NamedTuple):
    """Settings that show a layer clearly, and how many times the cell's side its picture has."""

    settings: dict[str, Any]
    zoom: float


_RECIPES: tuple[tuple[float, Recipe], ...] = (
    # found by looking, with lite0 and SqueezeNet: the layers whose cells are at most so many pixels wide.
    # The first ones burn out quickly; the last ones find things only where slow waves count as much as fine ones
    (2, Recipe({"octaves": 3, "steps": 8, "step_size": 0.005}, 1)),
    (4, Recipe({"octaves": 4, "steps": 10, "step_size": 0.006}, 1)),
    (8, Recipe({"octaves": 4, "steps": 12}, 1)),
    (16, Recipe({"octaves": 4, "steps": 12}, 4 / 3)),
    (float("inf"), Recipe({"octaves": 4, "steps": 12, "octave_scale": 1.6, "smoothing": 4}, 5 / 3)),
)
_CLASS_RECIPE = Recipe(
    # a class is drawn with a few large strokes or not at all
    {"octaves": 3, "steps": 30, "step_size": 0.012, "octave_scale": 1.5, "smoothing": 5, "total_variation": 0.3},
    4 / 3,
)

SOURCE_SIDE = 512
"""Of an image of nothing that an atlas is dreamed from, in pixels."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One finished picture. layer: what dreams, as `DreamSettings.layers` names it. title, note, caption: what is
    written below it. jpeg: the picture, square, sRGB."""

    layer: str
    title: str
    note: str
    caption: str
    jpeg: bytes = b""

    def image(self) -> Image:
        """The picture to look at or dream on from."""
        with Pillow.open(io.BytesIO(self.jpeg), formats=["JPEG"]) as picture:
            return Image(np.asarray(picture, np.float32) / np.float32(255), ColorSpace.SRGB)


class Subject(NamedTuple):
    """What a cell is to show. side: of the picture that dreams, in pixels. work: how long it takes beside others."""

    cell: Cell
    settings: DreamSettings
    side: int
    work: float


def atlas(
    brain: Brain,
    source: Image,
    layers: Sequence[str] = (),
    *,
    channels: int | None = None,
    size: int = DREAM_SIDE,
    cache: CellCache | None = None,
) -> Generator[Progress | Cell, None, tuple[Cell, ...]]:
    """Dream a cell for each layer: yields the progress of the whole and each cell as it is finished; returns all cells.

    source: any image; its middle square is used. layers: as `DreamSettings.layers` names them, without weights; none:
    all of the brain's, early to late. channels: instead of a layer, so many of its channels, the strongest first
    (`strongest_channels`). size: side of a cell in pixels. cache: where cells are looked up, and kept once finished.
    The same brain, source and numbers give the same bytes wherever `fingerprint` is the same, kept or new. Stop
    iterating to cancel: finished cells stay in the cache.
    Raises UnknownLayerError, SettingsError, InputError, OutOfMemoryError, StorageError.
    """
    names = tuple(layers) or tuple(layer.name for layer in brain.card.layers)
    check_numbers(names, channels, size)
    subjects = [_layer_subject(brain, name, size) for name in names]
    studio = _Studio(brain, middle_square(source, brain.device), size, cache)
    if channels is not None:
        studio.clock.total = subjects[0].work * (1 + channels)
        subjects = yield from _strongest_subjects(studio, subjects[0], channels)
    kept = [studio.find(subject) for subject in subjects]
    studio.clock.total = studio.clock.done + sum(
        subject.work for subject, jpeg in zip(subjects, kept, strict=True) if jpeg is None
    )
    cells = []
    for subject, jpeg in zip(subjects, kept, strict=True):
        cells.append(replace(subject.cell, jpeg=jpeg or (yield from studio.make(subject))))
        yield cells[-1]
    return tuple(cells)


def usual_source(kind: str = "dusk", seed: int = 0) -> Image:
    """The image of nothing that atlases are dreamed from: one for all, so that brains can be compared.

    kind: one of `KINDS` of images of nothing. Raises ImageError for another.
    """
    image = named(f"{kind}:{SOURCE_SIDE}x{SOURCE_SIDE}:{seed}", 0)
    if image is None:
        raise ImageError(f"There is no image of nothing called {kind!r:.60}.", f"There are: {', '.join(KINDS)}.")
    return image


def check_numbers(layers: Sequence[str], channels: int | None, size: int) -> None:
    """Raises InputError for an atlas that is none."""
    if channels is not None and len(layers) != 1:
        raise InputError("Channels are shown of one layer.", "Name it: --layers NAME --channels 12.")
    if not 1 <= (len(layers) if channels is None else channels) <= MAX_CELLS:
        raise InputError(f"An atlas has 1 to {MAX_CELLS} cells.", "Name fewer layers or channels, or at least one.")
    if not CELL_SIDES[0] <= size <= CELL_SIDES[1]:
        raise InputError(
            f"A cell cannot be {size} pixels wide.", f"Give a size from {CELL_SIDES[0]} to {CELL_SIDES[1]}."
        )


def middle_square(image: Image, device: torch.device) -> Tensor:
    """The largest square in the middle of an image: 1x3xSxS, dream space."""
    side = min(image.height, image.width)
    top, left = (image.height - side) // 2, (image.width - side) // 2
    middle = replace(image, pixels=image.pixels[top : top + side, left : left + side])
    return dreamspace.enter(middle, 0.0, device)


def strongest_channels(
    brain: Brain, layer: str, before: Tensor, after: Tensor, count: int
) -> tuple[tuple[int, float], ...]:
    """The channels of which a dream shows most more than its source, strongest first, each with how much more.

    before, after: 1x3xSxS, dream space: the source, and what the whole layer dreams of it. count: as many as the layer
    has, at most. How much more is Cohen's d: the difference of a channel's means over the deviation within the two, so
    that a loud channel is not a strong one.
    """
    source, dream_ = (_answers(brain, layer, picture) for picture in (before, after))
    spread = ((source.var(1) + dream_.var(1)) / 2).sqrt()
    # a channel that answers to neither is not infinitely strong
    rise = (dream_.mean(1) - source.mean(1)) / spread.clamp_min(torch.finfo(spread.dtype).eps)
    best = rise.nan_to_num().topk(count)
    return tuple(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def _strongest_subjects(studio: _Studio, whole: Subject, count: int) -> Generator[Progress, None, list[Subject]]:
    """One subject for each of a layer's strongest channels. Raises InputError, SettingsError before it dreams."""
    layer = whole.cell.layer
    choice = read_choice(layer)
    if choice.channels or choice.classes:
        raise InputError(f"{layer!r} names channels already.", "Name the layer alone to see its strongest ones.")
    available = studio.brain.card.layer(layer).channels
    if count > available:
        raise SettingsError(f"Layer {layer!r} has {available} channels, not {count}.", "Ask for fewer.")
    before = resize_picture(studio.source, Size(whole.side, whole.side))
    after = yield from studio.dreamt(whole)
    strongest = strongest_channels(studio.brain, layer, before, after, count)
    settings = whole.settings.replace(objective="mean")
    return [
        Subject(
            Cell(f"{layer}:{channel}", f"channel {channel}", "", f"{rise:+.1f} deviations"),
            settings.replace(layers=((f"{layer}:{channel}", 1.0),)),
            whole.side,
            whole.work,
        )
        for channel, rise in strongest
    ]


def _layer_subject(brain: Brain, name: str, size: int) -> Subject:
    """What shows one layer, or some channels of it. Raises UnknownLayerError."""
    choice = read_choice(name)
    if choice.brain not in ("", brain.card.name):
        raise InputError(f"{name!r} is a layer of another brain.", f"Make an atlas of brain {choice.brain!r}.")
    if choice.layer == CLASSES:
        layer_name, channels = find_classes(brain.card, choice.classes)
    else:
        layer_name, channels = choice.layer, tuple(channel for channel, _ in choice.channels)
    layer = brain.card.layer(layer_name)
    is_class = layer == brain.card.classifier
    recipe = _CLASS_RECIPE if is_class else next(recipe for stride, recipe in _RECIPES if layer.stride <= stride)
    objective = "mean" if channels or is_class else "l2"
    own = {"brain": brain.card.name, "layers": ((name, 1.0),), "objective": objective}
    settings = DreamSettings().replace(**own, **recipe.settings)
    objective_of(settings, None, brains_of([settings], brain, no_other_brain), settings.octaves)
    side = round(max(size, DREAM_SIDE) * recipe.zoom)
    cell = Cell(
        name, " + ".join(choice.classes) or name, "" if channels else f"{layer.channels} channels", layer.dreams
    )
    return Subject(cell, settings, side, side**2 * _depth(brain, layer))


def _depth(brain: Brain, layer: Layer) -> float:
    """How much of the network runs for this layer, roughly, as a number to compare with other layers' of the brain."""
    layers = brain.card.layers
    return 4 + (layers.index(layer) if layer in layers else len(layers))


class _Clock:
    """How far all cells are, from how far one of them is. total, done: work, in the measure of `Subject.work`."""

    def __init__(self) -> None:
        self.total = 0.0
        self.done = 0.0
        self._start = time.monotonic()

    def during(self, subject: Subject, own: Progress) -> Progress:
        fraction = min(1.0, (self.done + own.fraction * subject.work) / self.total)
        elapsed = time.monotonic() - self._start
        return replace(own, fraction=fraction, eta=elapsed * (1 - fraction) / max(fraction, 1e-9))


class _Studio:
    """Where cells are made: the brain, the square source (1x3xSxS, dream space), the cells' side, and their cache."""

    def __init__(self, brain: Brain, source: Tensor, size: int, cache: CellCache | None) -> None:
        self.brain = brain
        self.source = source
        self.clock = _Clock()
        self._size = size
        self._cache = cache
        self._source_hash = content_hash(source.cpu().numpy().tobytes())

    def find(self, subject: Subject) -> bytes | None:
        """The cell's JPEG, if it was made before."""
        return None if self._cache is None else self._cache.find(self._key(subject), self._size)

    def make(self, subject: Subject) -> Generator[Progress, None, bytes]:
        """Dream a cell, keep and return its JPEG."""
        picture = yield from self.dreamt(subject)
        jpeg = encode_cell(resize_picture(picture, Size(self._size, self._size)))
        if self._cache is not None:
            self._cache.keep(self._key(subject), jpeg)
        return jpeg

    def dreamt(self, subject: Subject) -> Generator[Progress, None, Tensor]:
        """What the subject dreams: 1x3xSxS, dream space, at its own side."""
        with memory_errors():
            before = resize_picture(self.source, Size(subject.side, subject.side))
        steps = dream(as_image(before), self.brain, subject.settings)
        dreamt = yield from retold(steps, functools.partial(self.clock.during, subject))
        self.clock.done += subject.work
        return dreamspace.enter(dreamt, 0.0, self.brain.device)

    def _key(self, subject: Subject) -> str:
        """The hash of all that decides the cell's bytes."""
        made_from = {
            "atlas": ATLAS_VERSION,
            "brain": self.brain.card.id,
            "engine": fingerprint(self.brain.device),
            # a brain is known by its hash here, whatever its name
            "settings": subject.settings.to_json() | {"brain": ""},
            "side": subject.side,
            "size": self._size,
            "source": self._source_hash,
        }
        return canonical_hash(made_from)


def _answers(brain: Brain, layer: str, picture: Tensor) -> Tensor:
    """Channels x positions of a layer's answer to a picture, 1x3xSxS, dream space."""
    stride = brain.stride([layer])
    side = max(brain.card.smallest, picture.shape[-1])
    whole = -(-side // stride) * stride
    with memory_errors(), torch.no_grad():
        return brain.activations(resize_picture(picture, Size(whole, whole)), [layer])[layer][0].flatten(1)


def as_image(picture: Tensor) -> Image:
    return Image(picture[0].permute(1, 2, 0).contiguous().cpu().numpy(), ColorSpace.SRGB)


def encode_cell(picture: Tensor) -> bytes:
    """1x3xSxS, dream space, as a JPEG file."""
    pixels = (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).contiguous().cpu().numpy()
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()
