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
from .textures import Footprint, Layout, filled
from .views import View


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """source: 3xN, dream space, the textures before the dream. mask: 1xN, how strongly they dream; None: fully. prints:
    the texels that each view sees."""

    layout: Layout
    source: Tensor
    mask: Tensor | None
    prints: tuple[Footprint, ...]

    @classmethod
    def of(cls, views: Sequence[View], sheets: Sequence[Sheet], bases: Sequence[Tensor], sides: Sequence[int]) -> Self:
        """bases: the textures at any size, 1x3xSxS. sides: what they have here."""
        layout = Layout(tuple(sides))
        source = layout.join([resize_picture(base, Size(side, side)) for base, side in zip(bases, sides, strict=True)])
        mask = None
        if any(sheet.mask for sheet in sheets):
            masks = [mask_of(sheet, side, source.device) for sheet, side in zip(sheets, sides, strict=True)]
            mask = layout.join(masks)
        return cls(layout, source, mask, tuple(layout.footprint(view.spots) for view in views))

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

    def end(self, dreamt: Tensor, views: Sequence[View], *, keep_colors: bool) -> tuple[list[Tensor], list[Tensor]]:
        """What each texture has dreamed, 1x3xSxS, filled in where no view sees it; and how much all see, 1x1xSxS."""
        seen = self.source.new_zeros(1, self.layout.count)
        for view, footprint in zip(views, self.prints, strict=True):
            seen += footprint.splat(view.weight[None], self.layout.count)
        weights = self.layout.split(seen)
        if keep_colors:
            dreamt = self._recolored(dreamt, weights)
        changes = self.layout.split(dreamt - self.source)
        return [filled(change, weight) for change, weight in zip(changes, weights, strict=True)], weights

    def _recolored(self, dreamt: Tensor, weights: Sequence[Tensor]) -> Tensor:
        sheets = zip(self.layout.split(dreamt), self.layout.split(self.source), weights, strict=True)
        return self.layout.join([with_colors_of(image, base, weight.gt(0).float()) for image, base, weight in sheets])
