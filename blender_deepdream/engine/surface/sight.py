# SPDX-License-Identifier: GPL-3.0-or-later
"""A view of the textures at the size of one octave."""

from __future__ import annotations

from typing import NamedTuple, Self

from torch import Tensor

from ...protocol.settings import DreamSettings
from .textures import Footprint, Layout
from .views import View


class Sight(NamedTuple):
    """What a view sees of the textures. first, second: the texels at both places of its pixels."""

    view: View
    first: Footprint
    second: Footprint

    @classmethod
    def of(cls, view: View, layout: Layout) -> Self:
        return cls(view, layout.footprint(view.spots), layout.footprint(view.second.spots))

    def picture(self, texels: Tensor, settings: DreamSettings) -> Tensor:
        """1x3xHxW, dream space: the view with these textures (3xN, dream space), exposed as the settings say."""
        return self.view.picture(self.first, texels, settings.exposure, settings.highlights)

    def splat(self, pixels: Tensor, count: int) -> Tensor:
        """CxN: each pixel's value (CxP) to the texels of both its places."""
        texels = self.first.splat(pixels, count)
        if not len(self.view.second.number):
            return texels
        return texels.add_(self.second.splat(pixels[:, self.view.second.number], count))
