# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from blender_deepdream.engine.contact_sheet import GAP, HEAD, MARGIN
from blender_deepdream.protocol.errors import ImageError
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.augmentation_sheet import augmentation_sheet

from .small_pictures import save_picture

RECIPE = Recipe().replace(side=32)


def cells(sheet: Pillow.Image) -> list[np.ndarray]:
    """The 32 places of a sheet, row by row."""
    step = 32 + GAP
    pixels = np.asarray(sheet)[MARGIN + HEAD :, MARGIN:].astype(int)
    return [pixels[row * step :, column * step :][:32, :32] for row in range(4) for column in range(8)]


def test_thirty_times_another_picture(tmp_path: Path):
    shown = cells(augmentation_sheet(save_picture(tmp_path / "moss.png", 0), RECIPE))[2:]
    assert len(shown) == 30
    assert len({cell.tobytes() for cell in shown}) == 30
    assert np.std([cell.mean() for cell in shown]) > 15


def test_without_photometry_the_light_stays(tmp_path: Path):
    path = save_picture(tmp_path / "moss.png", 0)
    still = cells(augmentation_sheet(path, RECIPE.replace(photometric=False)))[2:]
    assert np.std([cell.mean() for cell in still]) < 15
    assert len({cell.tobytes() for cell in still}) == 30


def test_the_picture_itself_comes_first(tmp_path: Path):
    path = save_picture(tmp_path / "moss.png", 0, size=(100, 100))
    first = cells(augmentation_sheet(path, RECIPE))[0]
    wanted = np.asarray(Pillow.open(path).resize((32, 32), Pillow.Resampling.LANCZOS)).astype(int)
    assert np.abs(first - wanted).mean() < 4


def test_the_seed_decides(tmp_path: Path):
    path = save_picture(tmp_path / "moss.png", 0)
    first, same, other = (augmentation_sheet(path, RECIPE.replace(seed=seed)).tobytes() for seed in (1, 1, 2))
    assert first == same != other


def test_what_cannot_be_learned_from_is_said(tmp_path: Path):
    (tmp_path / "words.png").write_text("no image")
    with pytest.raises(ImageError, match="cannot be learned from: no image"):
        augmentation_sheet(tmp_path / "words.png", RECIPE)
