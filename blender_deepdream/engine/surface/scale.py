# SPDX-License-Identifier: GPL-3.0-or-later
"""The textures of a dream at the size of one octave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ...protocol.settings import DreamSettings
from ..octaves import NO_WRAP, Size, resize, resize_picture
from ..restraint import restrain, with_colors_of
from .sheets import Sheet, mask_of
from .sight import Sight
from .textures import Layout, filled
from .ties import tied
from .views import View


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """source: 3xN, dream space, the textures before the dream. mask: 1xN, how strongly they dream; None: fully.
    seen, beyond: 1xN, the weight with which all views see each texel, and with which they do beyond islands' edges."""

    layout: Layout
    source: Tensor
    mask: Tensor | None
    sights: tuple[Sight, ...]
    seen: Tensor
    beyond: Tensor

    @classmethod
    def of(cls, views: Sequence[View], sheets: Sequence[Sheet], bases: Sequence[Tensor], sides: Sequence[int]) -> Self:
        """bases: the textures at any size, 1x3xSxS. sides: what they have here."""
        layout = Layout(tuple(sides))
        source = layout.join([resize_picture(base, Size(side, side)) for base, side in zip(bases, sides, strict=True)])
        mask = None
        if any(sheet.mask for sheet in sheets):
            masks = [mask_of(sheet.mask, side, source.device) for sheet, side in zip(sheets, sides, strict=True)]
            mask = layout.join(masks)
        sights = tuple(Sight.of(view, layout) for view in views)
        seen, beyond = source.new_zeros(2, 1, layout.count)
        for sight in sights:
            weight = sight.view.weight[None]
            seen += sight.first.splat(weight, layout.count)
            beyond += sight.second.splat(weight[:, sight.view.second.number], layout.count)
        return cls(layout, source, mask, sights, seen, beyond)

    def begin(self, details: Sequence[Tensor]) -> Tensor:
        """3xN: the textures with what they have dreamed in the octave before, 1x3xSxS each."""
        sides = self.layout.sides
        grown = [resize(detail, Size(side, side)) for detail, side in zip(details, sides, strict=True)]
        return self.layout.join(grown).add_(self.source).clamp_(0, 1)

    def shown(self, dreamt: Tensor) -> Tensor:
        """3xN: what a network sees of them."""
        return dreamt if self.mask is None else torch.lerp(self.source, dreamt, self.mask)

    def restrained(self, dreamt: Tensor, settings: DreamSettings) -> Tensor:
        """Held back by total variation and the pull of the source."""
        if not (settings.total_variation or settings.pull):
            return dreamt
        pairs = zip(self.layout.split(dreamt), self.layout.split(self.source), strict=True)
        return self.layout.join([restrain(image, base, settings, NO_WRAP) for image, base in pairs]).clamp_(0, 1)

    def end(self, dreamt: Tensor, *, keep_colors: bool, tie: bool) -> tuple[list[Tensor], list[Tensor]]:
        """What each texture has dreamed, 1x3xSxS, filled in where no view sees it; and how much all see, 1x1xSxS.

        tie: whether both sides of the islands' edges are made to show the same."""
        weights = self.layout.split(self.seen)
        if keep_colors:
            dreamt = self._recolored(dreamt, weights)
        change = dreamt - self.source
        changes = self.layout.split(tied(change, self.sights, self.seen) if tie else change)
        known = self.layout.split(self.seen + self.beyond)
        return [filled(change, weight) for change, weight in zip(changes, known, strict=True)], weights

    def _recolored(self, dreamt: Tensor, weights: Sequence[Tensor]) -> Tensor:
        sheets = zip(self.layout.split(dreamt), self.layout.split(self.source), weights, strict=True)
        return self.layout.join([with_colors_of(image, base, weight.gt(0).float()) for image, base, weight in sheets])
