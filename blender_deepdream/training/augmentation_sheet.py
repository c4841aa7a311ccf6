# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture as it is, and distorted thirty times: what a recipe's augmentation does, to be judged by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageDraw
from torch import Tensor

from ..engine.contact_sheet import GAP, GROUND, HEAD, MARGIN, write_head
from ..protocol.errors import ImageError
from ..protocol.recipe import Recipe
from .augmentation import Augmentation, stored_side
from .decoding import Decoded, LeftOutError, decode
from .photometric import colors_of, components

COLUMNS, ROWS = 8, 4
TIMES = COLUMNS * ROWS - 2
"""The picture as it is takes two places."""


def augmentation_sheet(path: Path, recipe: Recipe) -> Pillow.Image:
    """A sheet of a picture, RGB, sRGB: first the picture itself, then what a brain is shown in its place.

    Its light changes along the components of its own colours, where a data set's would be the whole set's.
    Raises ImageError for a file that cannot be learned from.
    """
    try:
        picture = decode(path, stored_side(recipe))
    except LeftOutError as error:
        raise ImageError(f"{path} cannot be learned from: {error}.", "Choose another picture.") from error
    step = recipe.side + GAP
    size = 2 * MARGIN + COLUMNS * step - GAP, 2 * MARGIN + HEAD + ROWS * step - GAP
    sheet = Pillow.new("RGB", size, GROUND)
    write_head(ImageDraw.Draw(sheet), size[0], f"{path.name}, {TIMES} times", _what_is_done(recipe))
    original = _as_it_is(picture, recipe.side + step, recipe.side)
    sheet.paste(original, (MARGIN, MARGIN + HEAD + (recipe.side - original.height) // 2), original)
    for number, image in enumerate(_distorted(picture, recipe, TIMES), 2):
        row, column = divmod(number, COLUMNS)
        sheet.paste(_to_picture(image), (MARGIN + column * step, MARGIN + HEAD + row * step))
    return sheet


def _what_is_done(recipe: Recipe) -> str:
    light = "contrast, brightness, colour and light change" if recipe.photometric else "light stays as it is"
    return f"as a brain is shown it  ·  {light}  ·  {recipe.crop} crop  ·  background {recipe.background}"


def _distorted(picture: Decoded, recipe: Recipe, count: int) -> Tensor:
    """Nx3xSxS, dream space."""
    augmentation = Augmentation(recipe, components(colors_of(picture.pixels)))
    chances = augmentation.draw(np.full(count, picture.aspect), np.random.default_rng(recipe.seed))
    return augmentation.apply(torch.from_numpy(picture.pixels).expand(count, -1, -1, -1), chances)


def _as_it_is(picture: Decoded, width: int, height: int) -> Pillow.Image:
    """In its own proportion, as large as fits, RGBA."""
    across = min(width, height * picture.aspect)
    size = max(1, round(across)), max(1, round(across / picture.aspect))
    premultiplied = Pillow.fromarray(np.ascontiguousarray(picture.pixels.transpose(1, 2, 0)), "RGBa")
    return premultiplied.convert("RGBA").resize(size, Pillow.Resampling.LANCZOS)


def _to_picture(image: Tensor) -> Pillow.Image:
    return Pillow.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy())
