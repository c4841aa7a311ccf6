# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.correspondence import Correspondence, places
from blender_deepdream.engine.dream import dream
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.temporal import MOST_GAIN, Chain, Detail, energies, hold, warp
from blender_deepdream.protocol.settings import DreamSettings


def noise(height: int = 48, width: int = 64, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 0.1


def shifted(picture: torch.Tensor, x: float, y: float) -> torch.Tensor:
    """Where each pixel of a picture comes from that moved by -x and -y."""
    return places(picture) + torch.tensor([x, y]).view(1, 2, 1, 1)


def test_what_stands_still_comes_back_bit_for_bit():
    detail = noise()
    assert torch.equal(warp(detail, places(detail)), detail)


def test_whole_pixels_are_moved_exactly():
    detail = noise()
    moved = warp(detail, shifted(detail, 3, -2))
    torch.testing.assert_close(moved[..., 5:40, :60], detail[..., 3:38, 3:63])


def test_moving_keeps_a_picture_crisp():
    """Twenty moves by a third of a pixel: bilinear reading would leave a blur."""
    grid = places(noise(64, 64))
    waves = (torch.sin(grid[:, :1] * 1.2) + torch.sin(grid[:, 1:] * 1.1)).expand(1, 3, 64, 64) * 0.1
    moved = waves
    for _ in range(20):
        moved = warp(moved, shifted(moved, 1 / 3, 1 / 3))
    inner = moved[..., 20:-20, 20:-20]
    assert inner.square().mean().sqrt() > 0.9 * waves[..., 20:-20, 20:-20].square().mean().sqrt()


def test_places_outside_repeat_the_border():
    detail = torch.arange(64.0).expand(1, 3, 48, 64)
    assert warp(detail, shifted(detail, 1e4, -1e4)).eq(63).all()


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_energies_are_held(factor):
    detail = noise()
    wanted = energies(detail)
    held = hold(detail * factor, torch.ones(1, 1, 48, 64), wanted)
    assert energies(held) == pytest.approx(wanted, rel=1e-3)
    torch.testing.assert_close(held, detail, atol=1e-4, rtol=1e-3)


def test_a_band_that_faded_is_raised_alone():
    detail = noise()
    wanted = energies(detail)
    soft = torch.nn.functional.avg_pool2d(detail, 3, 1, 1, count_include_pad=False)
    held = energies(hold(soft, torch.ones(1, 1, 48, 64), wanted))
    before = energies(soft)
    assert held[0] == pytest.approx(before[0] * MOST_GAIN, rel=0.1)
    assert held[-1] == pytest.approx(wanted[-1], rel=0.15)


def test_what_is_not_trusted_stays_as_it_is():
    detail, trust = noise(), torch.ones(1, 1, 48, 64)
    trust[..., 32:] = 0
    held = hold(detail * 1.2, trust, energies(detail))
    torch.testing.assert_close(held[..., 56:], detail[..., 56:] * 1.2, rtol=1e-2, atol=2e-3)
    assert (held[..., :24] / detail[..., :24]).median() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (5, 7)])
def test_small_pictures_are_held_too(size):
    detail = noise(*size)
    assert torch.isfinite(hold(detail * 2, torch.ones(1, 1, *size), energies(detail))).all()


def test_zeros_stay_zeros():
    zeros = torch.zeros(1, 3, 48, 64)
    assert hold(zeros, torch.ones(1, 1, 48, 64), energies(noise())).eq(0).all()


@pytest.fixture
def frame() -> Image:
    rows, columns = np.mgrid[0:72, 0:96].astype(np.float32)
    grey = 0.4 + 0.2 * np.sin(rows / 9) * np.cos(columns / 11)
    return Image(np.stack([grey, grey * 0.9, grey * 0.8], axis=2).astype(np.float32))


def dreamt(
    frame: Image, brain: Brain, settings: DreamSettings, before: Detail | None = None, trust: torch.Tensor | None = None
) -> tuple[Detail, int]:
    """The frame's detail and how many steps an octave took; what was before stands still and is trusted."""
    kept: list[Detail] = []
    motion = None
    if before is not None:
        planes = before.planes
        motion = Correspondence(places(planes), torch.ones_like(planes[:, :1]).float() if trust is None else trust)
    chain = Chain(before, motion, kept.append)
    steps = [progress.steps for progress in dream(frame, brain, settings, chain=chain)]
    return kept[0], steps[0]


def strength(detail: Detail, where: torch.Tensor | float = 1.0) -> float:
    planes = detail.planes.float().abs() * where
    return float(planes.sum() / (torch.ones_like(planes) * where).sum())


def distance(one: Detail, other: Detail) -> float:
    return float((one.planes.float() - other.planes.float()).abs().mean())


def test_a_carried_frame_holds_on_to_the_dream_with_half_the_steps(brain, quick, frame):
    settings = quick.replace(steps=6)
    first, steps = dreamt(frame, brain, settings)
    second, fewer = dreamt(frame, brain, settings.replace(seed=5), first)
    alone, _ = dreamt(frame, brain, settings.replace(seed=5))
    assert (steps, fewer) == (6, 3)
    assert distance(first, second) < 0.25 * distance(first, alone)
    assert strength(second) == pytest.approx(strength(first), rel=0.05)


def test_without_coherence_each_frame_is_on_its_own(brain, quick, frame):
    settings = quick.replace(coherence=0.0)
    first, _ = dreamt(frame, brain, settings)
    second, _ = dreamt(frame, brain, settings.replace(seed=5), first)
    alone, _ = dreamt(frame, brain, settings.replace(seed=5))
    assert torch.equal(second.planes, alone.planes)


def test_less_coherence_lets_more_change(brain, quick, frame):
    first, _ = dreamt(frame, brain, quick)
    by_coherence = [
        distance(first, dreamt(frame, brain, quick.replace(seed=5, coherence=coherence), first)[0])
        for coherence in (1.0, 0.8, 0.4)
    ]
    assert by_coherence == sorted(by_coherence)


def test_what_comes_into_view_dreams_at_once_as_strongly(brain, quick, frame):
    settings = quick.replace(steps=8)
    first, _ = dreamt(frame, brain, settings)
    trust = torch.ones(1, 1, 72, 96)
    trust[..., 50:] = 0
    second, _ = dreamt(frame, brain, settings, first, trust)
    new = (trust == 0).float()
    alone, _ = dreamt(frame, brain, settings)
    assert strength(second, new) == pytest.approx(strength(alone, new), rel=0.25)


def test_a_dream_neither_fades_nor_piles_up(brain, quick, frame):
    first, _ = dreamt(frame, brain, quick)
    detail = first
    for seed in range(8):
        detail, _ = dreamt(frame, brain, quick.replace(seed=seed), detail)
    assert strength(detail) == pytest.approx(strength(first), rel=0.05)
    assert detail.energies == first.energies


def test_what_is_handed_on_comes_to_the_same_bits(brain, quick, frame):
    first, _ = dreamt(frame, brain, quick)
    again = replace(first, planes=first.planes.clone())
    assert torch.equal(dreamt(frame, brain, quick, first)[0].planes, dreamt(frame, brain, quick, again)[0].planes)


def test_a_cut_begins_anew_with_all_steps(brain, quick, frame):
    settings = quick.replace(steps=4)
    first, _ = dreamt(frame, brain, settings.replace(step_size=0.05))
    found_nothing = torch.zeros(1, 1, 72, 96)
    found_nothing[..., :4] = 1
    second, steps = dreamt(frame, brain, settings, first, found_nothing)
    alone, _ = dreamt(frame, brain, settings)
    assert steps == 4
    assert torch.equal(second.planes, alone.planes)
    assert second.energies == alone.energies


def test_what_comes_into_view_does_not_go_on_with_the_dream_beside_it(brain, quick, frame):
    """Beside something loud that was carried: only the last octave sees it."""
    settings = quick.replace(steps=4, octaves=3)
    loud = Detail(noise(72, 96).half() * 2, energies(noise(72, 96) * 2), settings.steps * settings.step_size)
    quiet, _ = dreamt(frame, brain, settings)
    trust = torch.ones(1, 1, 72, 96)
    trust[..., 40:56] = 0
    beside = [dreamt(frame, brain, settings, detail, trust)[0].planes.float() for detail in (loud, quiet)]
    coarse = [torch.nn.functional.avg_pool2d(planes[..., 44:52], 4) for planes in beside]
    assert torch.corrcoef(torch.stack([planes.flatten() for planes in coarse]))[0, 1] > 0.5


def test_a_dream_goes_along_where_layers_fade(brain, quick, frame):
    settings = quick.replace(steps=4, layers=[["_blocks.2", 1.0]])
    first, _ = dreamt(frame, brain, settings)
    changes = []
    for share in (0.0, 0.2, 1.0):
        mixed = settings.replace(layers=[["_blocks.2", 1 - share], ["_blocks.6", share]])
        changes.append(distance(first, dreamt(frame, brain, mixed, first)[0]))
    alone, _ = dreamt(frame, brain, settings.replace(layers=[["_blocks.6", 1.0]]))
    assert changes == sorted(changes)
    assert changes[1] > 1.3 * changes[0]
    assert changes[2] > 0.5 * distance(first, alone)
