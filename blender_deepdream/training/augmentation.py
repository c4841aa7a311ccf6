# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of pictures each time they are shown: another part of them, in another light, before another ground.

Random numbers are drawn on the CPU for a whole batch, so that they are the same on every device, and the same for one
process as for many that share a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol.recipe import Recipe, background_color
from . import backgrounds, geometry, photometric

Numbers = NDArray[np.float64]


class Chances(NamedTuple):
    """What was drawn for N pictures. distortion: None where light stays as it is. grounds: None where all lie before
    one colour."""

    boxes: geometry.Boxes
    distortion: photometric.Distortion | None
    grounds: backgrounds.Grounds | None

    def part(self, which: slice) -> Chances:
        """Those of some of the pictures."""
        boxes, distortion, grounds = self
        return Chances(boxes.part(which), distortion and distortion.part(which), grounds and grounds.part(which))


class Augmentation:
    """As a recipe says. principal: the components of the data's colours, see `photometric.components`. opaque: whether
    no picture shows what lies behind it."""

    def __init__(self, recipe: Recipe, principal: Numbers, *, opaque: bool = False) -> None:
        self._recipe = recipe
        self._principal = principal
        self._color = (0, 0, 0) if opaque else background_color(recipe)

    def draw(self, aspects: Numbers, rng: np.random.Generator) -> Chances:
        """For pictures to learn from. aspects: width / height of each."""
        # as many numbers whatever the recipe says, so that a switch changes nothing else
        usual, article = geometry.usual_boxes(aspects, rng), geometry.article_boxes(aspects, rng)
        boxes = article if self._recipe.crop == "article" else usual
        distortion = photometric.draw(len(aspects), self._principal, rng)
        return Chances(boxes, distortion if self._recipe.photometric else None, self._grounds(len(aspects), rng))

    def draw_plain(self, aspects: Numbers, rng: np.random.Generator, *, relit: bool) -> Chances:
        """For pictures to test with: their middles. relit: in another light, whatever the recipe says."""
        distortion = photometric.draw(len(aspects), self._principal, rng)
        boxes = geometry.middle_boxes(aspects)
        return Chances(boxes, distortion if relit else None, self._grounds(len(aspects), rng))

    def apply(self, pictures: Tensor, chances: Chances) -> Tensor:
        """pictures: Nx4xCxC uint8: red, green, blue, alpha; colour multiplied by alpha; on the device.

        Returns Nx3xSxS float32 in dream space.
        """
        side, device = self._recipe.side, pictures.device
        shown = geometry.cut_out(pictures.float().div_(255), chances.boxes, side)
        if chances.distortion is not None:
            shown = photometric.distort(shown, chances.distortion)
        return backgrounds.put_behind(shown, self._ground(chances.grounds, side, device))

    def _grounds(self, count: int, rng: np.random.Generator) -> backgrounds.Grounds | None:
        return backgrounds.draw(count, rng) if self._color is None else None

    def _ground(self, grounds: backgrounds.Grounds | None, side: int, device: torch.device) -> Tensor:
        if grounds is not None:
            return backgrounds.paint(grounds, side, device)
        return torch.tensor(self._color, device=device).view(1, 3, 1, 1) / 255


def middles(pictures: Tensor, aspects: Numbers, side: int, grey: float) -> Tensor:
    """The middles of pictures as `Augmentation.apply` takes them, before a quiet ground: Nx3xSxS, dream space.
    grey: 0 to 1."""
    shown = geometry.cut_out(pictures.float().div_(255), geometry.middle_boxes(aspects), side)
    return backgrounds.put_behind(shown, torch.full_like(shown[:, :3], grey))


def stored_side(recipe: Recipe) -> int:
    """At which side pictures are kept: so much larger than they are shown that their parts are seldom enlarged."""
    return round(recipe.side * (1.5 if recipe.crop == "article" else 1.25))
