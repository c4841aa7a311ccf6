# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a data set is in a dream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.engine.lite0 import load_lite0
from blender_deepdream.protocol.errors import InputError
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.training import likeness
from blender_deepdream.training.likeness import Bank, bank_of, patches_of, pictures_of, pixels_of, share_of

from ..server.shapes import draw_shapes


@pytest.fixture(scope="module")
def judge() -> Brain:
    return load_lite0()


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("likeness") / "shapes")


@pytest.fixture(scope="module")
def banks(judge: Brain, shapes: Path) -> tuple[Bank, Bank]:
    """Of drawn shapes, and of noise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "CROPS", 20)
        return bank_of(pictures_of(shapes), judge), bank_of(map(pixels_of, map(noise, range(8))), judge)


def noise(seed: int) -> Image:
    return Image(np.random.default_rng(seed).random((64, 64, 3), np.float32), ColorSpace.SRGB)


def test_pictures_of_a_set_lie_in_it(judge: Brain, banks: tuple[Bank, Bank], shapes: Path) -> None:
    own, others = banks
    assert share_of(own.held, own.patches, others.patches) > 0.9
    assert share_of(others.held, own.patches, others.patches) < 0.1
    assert share_of(patches_of(read_image(shapes / "discs" / "0.png"), judge), own.patches, others.patches) > 0.8
    assert share_of(patches_of(noise(99), judge), own.patches, others.patches) < 0.1


def test_both_sets_count_alike(banks: tuple[Bank, Bank]) -> None:
    """Of one set twice, one ten times as large: neither is the likelier neighbour."""
    patches = banks[0].patches
    halves = patches[::2], patches[1::2]
    assert share_of(banks[0].held, halves[0], halves[1][:: len(halves[1]) // 10]) == pytest.approx(0.5, abs=0.3)


def test_only_what_is_opaque_counts(judge: Brain, tmp_path: Path) -> None:
    for number in range(4):
        pixels = np.zeros((64, 64, 4), np.uint8)
        pixels[:, :32] = (200, 40 * number, 30, 255)
        Pillow.fromarray(pixels).save(tmp_path / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "CROPS", 4)
        half = bank_of(pictures_of(tmp_path), judge)
        whole = bank_of(map(pixels_of, map(noise, range(4))), judge)
    assert 0.4 < len(half.patches) / len(whole.patches) < 0.7


def test_a_dream_is_seen_at_one_size_whatever_its_own(judge: Brain) -> None:
    small, large = (Image(np.full((side, 2 * side, 3), 0.5, np.float32), ColorSpace.SRGB) for side in (40, 160))
    assert patches_of(small, judge).shape == patches_of(large, judge).shape
    assert torch.allclose(patches_of(small, judge).norm(dim=1), torch.ones(1), atol=1e-5)


def test_folders_with_nothing_to_compare_with(judge: Brain, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list(pictures_of(tmp_path / "none"))
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(InputError, match="fewer than two"):
        bank_of(pictures_of(tmp_path), judge)
