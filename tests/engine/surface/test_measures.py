# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures of a dream of surfaces tell bad ones from good ones, and our dream is a good one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.dream import dream_surface
from blender_deepdream.engine.surface.passes import Passes, read_passes
from blender_deepdream.engine.surface.sheets import Sheet, sharpest
from blender_deepdream.engine.surface.views import View, read_view
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings

from .measures import Textures, alone, seam_steps, touched, worth
from .walls import write_view

SIDE = 40

SEEDS = 6
"""How many dreams are measured: a single small one has too few pixels at its edges to tell."""


def wall(folder: Path, seen: float = 1.0) -> View:
    dark, light, facts = write_view(folder, seen=seen)
    space, device = ColorSpace.LINEAR_REC709, torch.device("cpu")
    return read_view(dark, light, facts, (0.0, 0.0, 2.0), space, sheets=2, device=device)


def sheets() -> list[Sheet]:
    return [Sheet(Image(np.full((16, 16, 3), 0.3, np.float32)), 64)] * 2


def island_edge() -> Passes:
    """A flat wall whose right half lies elsewhere on the same sheet."""
    rows, columns = (np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5) / SIDE
    u = np.where(columns < 0.5, columns * 0.5, columns * 0.5 + 0.4)
    places = np.stack([u, 1 - rows], axis=2)
    normals = np.zeros((SIDE, SIDE, 3), np.float32)
    normals[..., 2] = 1
    positions = np.stack([columns, -rows, 0 * rows], axis=2)
    return Passes(places, normals, positions, np.ones((SIDE, SIDE), np.int64))


def ramp(start_of_right: float) -> Textures:
    """Brighter to the right on both islands; the right one begins at this value."""
    u = np.linspace(0, 1, 256, dtype=np.float32)
    row = np.where(u < 0.45, u, u - 0.65 + start_of_right)
    return Textures([Image(np.repeat(np.tile(row, (256, 1))[..., None], 3, axis=2), ColorSpace.SRGB)])


def test_a_seam_is_told() -> None:
    across, inside = seam_steps(ramp(0.25), [island_edge()])
    assert across < 3 * inside
    across, inside = seam_steps(ramp(0.6), [island_edge()])
    assert across > 10 * inside


def test_what_no_view_touches_is_told(tmp_path: Path) -> None:
    places = np.random.default_rng(0).random((500, 2), dtype=np.float32)
    sides = sharpest([wall(tmp_path)], [64, 64])
    assert touched(places, [wall(tmp_path)], sides) > 0.99
    assert 0.4 < touched(places, [wall(tmp_path, seen=0.5)], sides) < 0.6


def test_a_dream_is_worth_more_than_none_and_nearly_as_much_as_a_picture_alone(
    tmp_path: Path, brain: Brain, quick: DreamSettings
) -> None:
    views, settings = [wall(tmp_path)], quick.replace(octaves=2, steps=4)
    dreamt = finish(dream_surface(views, sheets(), brain, settings))
    before, after = (Textures(images).picture(views[0]) for images in ([s.image for s in sheets()], dreamt.images))
    nothing, ours, by_itself = (
        worth([picture], views, brain, settings)
        for picture in (before, after, alone(views[0], before, brain, settings))
    )
    assert ours > 1.2 * nothing
    assert ours > 0.6 * by_itself


def test_our_islands_have_no_seams(tmp_path: Path, brain: Brain, quick: DreamSettings) -> None:
    """Both halves of the wall lie on the same sheet, one upside down."""
    dark, light, facts = write_view(tmp_path, sheets=1, turned=True)
    space, device = ColorSpace.LINEAR_REC709, torch.device("cpu")
    view = read_view(dark, light, facts, (0.0, 0.0, 2.0), space, sheets=1, device=device)
    across = inside = 0.0
    for seed in range(SEEDS):
        settings = quick.replace(octaves=2, steps=4, seed=seed)
        dreamt = finish(dream_surface([view], sheets()[:1], brain, settings))
        steps = seam_steps(Textures(dreamt.images), [read_passes(facts)])
        across, inside = across + steps[0], inside + steps[1]
    assert inside > SEEDS * 0.001
    assert across < 1.1 * inside
