# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture as it is, and distorted thirty times: what a recipe's augmentation does, to be judged by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from ..engine.contact_sheet import GAP, GROUND, MARGIN
from ..protocol.errors import ImageError
from ..protocol.recipe import Recipe
from .augmentation import Augmentation, stored_side
from .decoding import Decoded, LeftOutError, decode
from .photometric import colors_of, components

COLUMNS, ROWS = 6, 5


def augmentation_sheet(path: Path, recipe: Recipe) -> Pillow.Image:
    """A sheet of a picture, RGB, sRGB: at its head the picture itself, below it what a brain is shown in its place.

    Its light changes along the components of its own colours, where a data set's would be the whole set's.
    Raises ImageError for a file that cannot be learned from.
    """
    try:
        picture = decode(path, stored_side(recipe))
    except LeftOutError as error:
        raise ImageError(f"{path} cannot be learned from: {error}.", "Choose another picture.") from error
    shown = _distorted(picture, recipe, COLUMNS * ROWS)
    side = recipe.side
    head = 2 * side + GAP
    width = 2 * MARGIN + COLUMNS * side + (COLUMNS - 1) * GAP
    sheet = Pillow.new("RGB", (width, 2 * MARGIN + head + ROWS * (side + GAP)), GROUND)
    original = _as_it_is(picture, width - 2 * MARGIN, head)
    sheet.paste(original, (MARGIN, MARGIN), original)
    for number, image in enumerate(shown):
        row, column = divmod(number, COLUMNS)
        place = MARGIN + column * (side + GAP), MARGIN + head + GAP + row * (side + GAP)
        sheet.paste(_to_picture(image), place)
    return sheet


def _distorted(picture: Decoded, recipe: Recipe, count: int) -> Tensor:
    """Nx3xSxS, dream space."""
    augmentation = Augmentation(recipe, components(colors_of(picture.pixels)))
    chances = augmentation.draw(np.full(count, picture.aspect), np.random.default_rng(recipe.seed))
    return augmentation.apply(torch.from_numpy(picture.pixels).expand(count, -1, -1, -1), chances)


def _as_it_is(picture: Decoded, width: int, height: int) -> Pillow.Image:
    """In its own proportion, as large as fits, RGBA."""
    across = min(width, round(height * picture.aspect))
    premultiplied = Pillow.fromarray(np.ascontiguousarray(picture.pixels.transpose(1, 2, 0)), "RGBa")
    return premultiplied.convert("RGBA").resize((across, round(across / picture.aspect)), Pillow.Resampling.LANCZOS)


def _to_picture(image: Tensor) -> Pillow.Image:
    return Pillow.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy())
