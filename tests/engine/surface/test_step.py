# SPDX-License-Identifier: GPL-3.0-or-later
"""How textures change in one step, on a wall that some views see from half its height down and others whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from blender_deepdream.engine.ascent import Ascent
from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.octaves import NO_WRAP
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.regions import Parts
from blender_deepdream.engine.surface.scale import Scale
from blender_deepdream.engine.surface.sheets import Sheet, bare
from blender_deepdream.engine.surface.step import Step
from blender_deepdream.engine.surface.views import View, read_view
from blender_deepdream.engine.wanted import brains_of, no_other_brain, objective_of
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings

from .walls import SIDE, write_view

CPU = torch.device("cpu")


@pytest.fixture
def views(tmp_path: Path) -> list[View]:
    """The first sees the lower half squarely, the second all of it at a grazing angle."""
    found = [write_view(tmp_path, number, seen=seen) for number, seen in enumerate((0.5, 1.0))]
    lower, whole = (
        read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=2, device=CPU)
        for dark, light, facts in found
    )
    return [lower, replace(whole, weight=whole.weight * 0.02)]


class Wall:
    """Grey sheets that these views see, `together` a step."""

    def __init__(self, views: list[View], brain: Brain, settings: DreamSettings, together: int) -> None:
        sheets = [Sheet(Image(np.full((16, 16, 3), 0.3, np.float32)), SIDE)] * 2
        bases = [bare(sheet, CPU) for sheet in sheets]
        brains = brains_of([settings], brain, no_other_brain)
        self.scale = Scale.of(views, sheets, bases, [SIDE] * 2)
        here = [objective_of(settings, None, brains, 1).in_octave(1)]
        parts = Parts.of(here, (), self.scale.layout, like=self.scale.source)
        ascent = Ascent.of(brains, settings, NO_WRAP)
        self.step = Step(ascent, parts, self.scale, SIDE, together)

    def change(self, *numbers: int) -> Tensor:
        """2xSxS: how far the texels of both sheets move in a step with these views."""
        sights = [self.scale.sights[number] for number in numbers]
        change, _ = finish(self.step.change(sights, self.scale.source))
        return torch.cat(self.scale.layout.split(change.abs().mean(0, keepdim=True)))[:, 0]


def test_a_step_is_as_large_as_said(views: list[View], brain: Brain, quick: DreamSettings) -> None:
    moved = Wall(views, brain, quick, 2).change(0, 1)
    assert float(moved[moved > 0].mean()) == pytest.approx(quick.step_size, rel=1e-3)


def test_what_others_see_better_a_grazing_view_changes_less(
    views: list[View], brain: Brain, quick: DreamSettings
) -> None:
    moved = Wall(views, brain, quick, 1).change(1)
    upper, lower = moved[:, : SIDE // 2 - 4], moved[:, SIDE // 2 + 4 :]
    assert float(lower.mean()) < 0.2 * float(upper.mean())


def test_steps_go_on_with_what_those_before_have_come_to(views: list[View], brain: Brain, quick: DreamSettings) -> None:
    wall = Wall(views, brain, quick, 1)
    above = wall.change(1)[:, : SIDE // 2 - 4]
    after = wall.change(0)[:, : SIDE // 2 - 4]
    assert float(above.mean()) > 0
    assert float(after.mean()) > 0.05 * float(above.mean()), "no view of this step sees it"
