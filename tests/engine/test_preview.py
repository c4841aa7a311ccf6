# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews: what they show, how large they are, how often they come and what they cost at most."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor

from blender_deepdream.engine import preview as module
from blender_deepdream.engine.octaves import NO_WRAP, Wrap, with_margin
from blender_deepdream.engine.preview import INTERVAL_SECONDS, SHARE, Preview


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def flat(height: int, width: int, value: float) -> Tensor:
    return torch.full((1, 3, height, width), value)


def shown(source: Tensor, where: Tensor, base: Tensor, dreamt: Tensor, wrap: Wrap = NO_WRAP) -> Tensor:
    """The picture of a preview, 3xHxW in [0, 1]. source, where: without margins."""
    pictures: list[bytes] = []
    clock = Clock()
    preview = Preview(pictures.append, with_margin(source, wrap), with_margin(where, wrap), 1.0, wrap, clock)
    clock.now += 1
    preview.offer(base, dreamt)
    (jpeg,) = pictures
    decoded = torch.from_numpy(np.array(PIL.Image.open(io.BytesIO(jpeg))))
    return decoded.permute(2, 0, 1) / 255


@pytest.mark.parametrize("size", [(1, 1), (20, 30), (512, 512), (1000, 1000), (3000, 37), (7, 2000)])
@pytest.mark.parametrize("wrap", [NO_WRAP, Wrap(True, True)])
def test_its_size(size: tuple[int, int], wrap: Wrap) -> None:
    height, width = size
    octave = flat(height // 2 + 1, width // 2 + 1, 0.5)
    picture = shown(flat(height, width, 0.5), torch.ones(1, 1, height, width), octave, octave, wrap)
    scale = min(1, 512 / max(size))
    assert picture.shape[1] <= 512
    assert picture.shape[2] <= 512
    for side, full in zip(picture.shape[1:], size, strict=True):
        assert side == max(1, round(full * scale))


def test_it_shows_the_source_with_the_detail_where_it_is_kept() -> None:
    source = flat(64, 64, 0.25)
    source[..., 32:, :] = 0.75
    where = torch.zeros(1, 1, 64, 64)
    where[..., 32:] = 1
    picture = shown(source, where, flat(32, 32, 0.4), flat(32, 32, 0.6))
    assert picture[:, 4:28, 4:28].mean().item() == pytest.approx(0.25, abs=0.02)
    assert picture[:, 4:28, 36:60].mean().item() == pytest.approx(0.45, abs=0.02)
    assert picture[:, 36:60, 36:60].mean().item() == pytest.approx(0.95, abs=0.02)


def previews(step: float, cost: Callable[[], float], steps: int) -> tuple[int, float, float]:
    """How many there are, and the seconds they and all the rest took, if a step takes `step` and each one `cost`."""
    clock = Clock()
    times: list[float] = []

    def show(_: bytes) -> None:
        times.append(clock.now)
        clock.now += cost()

    preview = Preview(show, flat(8, 8, 0.0), torch.ones(1, 1, 8, 8), 1.0, Wrap(True, True), clock)
    start, spent = clock.now, 0.0
    for _ in range(steps):
        clock.now += step
        before = clock.now
        preview.offer(flat(8, 8, 0.0), flat(8, 8, 0.0))
        spent += clock.now - before
    assert all(later - earlier >= INTERVAL_SECONDS for earlier, later in itertools.pairwise(times))
    return len(times), spent, clock.now - start


def test_cheap_ones_come_twice_a_second() -> None:
    count, _, seconds = previews(step=0.05, cost=lambda: 0.001, steps=400)
    assert count == pytest.approx(2 * seconds, rel=0.15)


@pytest.mark.parametrize("cost", [0.02, 0.1, 1.0])
def test_dear_ones_come_seldom(cost: float) -> None:
    count, spent, seconds = previews(step=0.05, cost=lambda: cost, steps=10_000)
    assert count > 2
    assert spent <= SHARE * seconds + cost, "the first one teaches what they cost"
    assert spent > SHARE * seconds / 2


def test_nobody_looks_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "as_jpeg", None)
    clock = Clock()
    preview = Preview(None, flat(8, 8, 0.0), torch.ones(1, 1, 8, 8), 1.0, Wrap(True, True), clock)
    clock.now += 10
    preview.offer(flat(8, 8, 0.0), flat(8, 8, 0.0))
