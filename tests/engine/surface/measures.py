# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a dream of surfaces is, in numbers: do its seams show, has all dreamed, does it hold from elsewhere?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from blender_deepdream.engine import dreamspace
from blender_deepdream.engine.ascent import Ascent
from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.color import Array
from blender_deepdream.engine.dream import dream
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.octaves import NO_WRAP
from blender_deepdream.engine.regions import Area
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.passes import Passes
from blender_deepdream.engine.surface.textures import Layout, Spots
from blender_deepdream.engine.surface.views import View
from blender_deepdream.engine.wanted import brains_of, no_other_brain, objective_of
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings

Mask = NDArray[np.bool_]
_JUMP, _GAP = 5.0, 3.0
"""Neighbouring pixels lie on two islands if the map jumps this many times as far as it does from pixel to pixel
otherwise; and on two surfaces, one behind the other, if their places in space do."""


class Textures:
    """Finished textures, to be looked at. images: in any colour space. level: of the mip map, 0 the full size."""

    def __init__(self, images: Sequence[Image], level: int = 0) -> None:
        whole = [dreamspace.enter(image, 0.0, torch.device("cpu")) for image in images]
        sheets = [avg_pool2d(sheet, 2**level) for sheet in whole]
        self._layout = Layout(tuple(sheet.shape[-1] for sheet in sheets))
        self._texels = self._layout.join(sheets)

    def at(self, spots: Spots) -> Tensor:
        """3xP, dream space."""
        return self._layout.footprint(spots).sample(self._texels)

    def picture(self, view: View) -> Tensor:
        """1x3xHxW, dream space: a view with these textures."""
        return view.picture(self._layout.footprint(view.spots), self._texels, 0.0)


def seam_steps(textures: Textures, facts: Sequence[Passes]) -> tuple[float, float]:
    """The mean colour step from pixel to pixel across the edges of islands, and inside them, as pictures show it."""
    across, inside = [], []
    for passes in facts:
        colors = np.zeros((*passes.sheet.shape, 3), np.float32)
        on = passes.sheet > 0
        spots = Spots(torch.from_numpy(passes.sheet[on] - 1), torch.from_numpy(passes.places[on]))
        colors[on] = textures.at(spots).T.numpy()
        for axis in (0, 1):
            step, seam, near = _pairs(passes, colors, axis)
            across.append(step[seam & near])
            inside.append(step[~seam & near])
    return float(np.concatenate(across).mean()), float(np.concatenate(inside).mean())


def _pairs(passes: Passes, colors: Array, axis: int) -> tuple[Array, Mask, Mask]:
    """Of each two neighbours: their colours' distance, whether they lie on two islands, and on one surface."""
    first, second = _both(passes.sheet, axis)
    whole = (first > 0) & (first == second)
    turn = np.multiply(*_both(passes.normals, axis)).sum(-1)
    far, jump = (np.linalg.norm(np.diff(values, axis=axis), axis=-1) for values in (passes.positions, passes.places))
    usual_far, usual_jump = np.median(far[whole]), np.median(jump[whole])
    step = np.abs(np.diff(colors, axis=axis)).mean(-1)
    return step, jump > _JUMP * usual_jump, whole & (far < _GAP * usual_far) & (turn > 0.8)


def _both(values: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    length = values.shape[axis]
    return values.take(range(length - 1), axis), values.take(range(1, length), axis)


def touched(places: Array, views: Sequence[View], sides: Sequence[int]) -> float:
    """The share of places (Nx2, on the first sheet) whose texel some view has a say in. sides: as they were dreamed."""
    layout = Layout(tuple(sides))
    seen = torch.zeros(1, layout.count)
    for view in views:
        seen += layout.footprint(view.spots).splat(view.weight[None], layout.count)
    spots = Spots(torch.zeros(len(places), dtype=torch.long), torch.from_numpy(np.asarray(places, np.float32)) % 1)
    nearest = layout.footprint(spots)
    texel = nearest.texel.gather(0, nearest.share.argmax(0, keepdim=True))[0]
    return float((seen[0, texel] > 0).float().mean())


def worth(pictures: Sequence[Tensor], views: Sequence[View], brain: Brain, settings: DreamSettings) -> float:
    """What the objective is worth in pictures (1x3xHxW, dream space) of these views, in the mean."""
    brains = brains_of([settings], brain, no_other_brain)
    objective = objective_of(settings, None, brains, settings.octaves).in_octave(settings.octaves)
    values = []
    for picture, view in zip(pictures, views, strict=True):
        ascent = Ascent.of(brains, settings.replace(jitter=0), NO_WRAP)
        values.append(finish(ascent.step(picture, view.covered, (Area(objective),)))[1])
    return float(np.mean(values))


def alone(view: View, picture: Tensor, brain: Brain, settings: DreamSettings) -> Tensor:
    """A view's picture before the dream, dreamed by itself where the surface is: 1x3xHxW, dream space."""
    image = Image(np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy()), ColorSpace.SRGB)
    dreamed = finish(dream(image, brain, settings, view.covered[0, 0].numpy()))
    return dreamspace.enter(dreamed, 0.0, torch.device("cpu"))
