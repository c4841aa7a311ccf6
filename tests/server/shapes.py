# SPDX-License-Identifier: GPL-3.0-or-later
"""A data set of a moment: discs, boxes and stripes, and a brain small enough to learn them at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw

from blender_deepdream.engine import brain_file
from tests.training.small_training import small_base

KINDS = ("boxes", "discs", "stripes")
SIDE = 48


def draw_shapes(folder: Path, count: int = 6) -> Path:
    """Folders of so many pictures each."""
    numbers = random.Random(3)
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            picture = Image.new("RGB", (SIDE, SIDE), _color(numbers, 0, 90))
            for corners in _parts(kind, numbers):
                draw = ImageDraw.Draw(picture)
                (draw.ellipse if kind == "discs" else draw.rectangle)(corners, fill=_color(numbers, 150, 255))
            picture.save(folder / kind / f"{number}.png")
    return folder


def save_small_base(path: Path) -> Path:
    """The file of a brain called "small", of two layers, that learns."""
    brain_file.save(path, *small_base())
    return path


def _parts(kind: str, numbers: random.Random) -> Iterator[tuple[int, int, int, int]]:
    low, high = numbers.randrange(2, 14), numbers.randrange(30, 46)
    if kind == "stripes":
        yield from ((place, 0, place + 3, SIDE) for place in range(low % 8, SIDE, 8))
    else:
        yield low, low, high, high


def _color(numbers: random.Random, low: int, high: int) -> tuple[int, int, int]:
    return numbers.randrange(low, high), numbers.randrange(low, high), numbers.randrange(low, high)
