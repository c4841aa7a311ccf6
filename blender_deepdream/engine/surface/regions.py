# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of surfaces that dream of their own, and what is left of the surfaces to dream as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ...protocol.errors import ImageError
from ...protocol.settings import DreamSettings
from ..images import Image
from ..objectives import Objective
from ..regions import Area, shares_of
from .sheets import mask_of
from .sight import Sight
from .textures import Layout
from .views import resized

_NOTHING = Objective(())
_LEAST = 0.01
"""Share of a pixel below which an objective is not worth a look by the network."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the surfaces. masks: of each sheet, square, as brightness: how much of a texel is the region's.
    settings: what it dreams of (layers, objective), else the whole's. guide: if its objective needs one."""

    masks: tuple[Image, ...]
    settings: DreamSettings
    guide: Image | None = None

    def __post_init__(self) -> None:
        if any(mask.height != mask.width for mask in self.masks):
            raise ImageError("A region's mask must be square, as the sheet is.")


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """objectives: of the whole, then of its regions. shares: RxN, the regions' of each texel, at most 1 together."""

    objectives: tuple[Objective, ...]
    shares: Tensor

    @classmethod
    def of(cls, objectives: Sequence[Objective], regions: Sequence[Region], layout: Layout, like: Tensor) -> Self:
        """In the texels of a layout. like: any tensor of the wanted kind, where the shares shall lie."""
        masks = [_joined(region.masks, layout, like) for region in regions]
        shares = torch.cat(shares_of(masks)[1:]) if masks else like.new_zeros(0, layout.count)
        return cls(tuple(objectives), shares)

    def areas(self, sight: Sight, side: int, window: tuple[slice, slice]) -> tuple[Area, ...]:
        """Where each objective has a say in a window of a view's picture that is `side` pixels large. An objective
        that has none there asks nothing of a network."""
        if not len(self.shares):
            return (Area(self.objectives[0]),)
        view, count = sight.view, len(self.shares)
        seen = self.shares.new_zeros(count + 1, view.side * view.side)
        seen[:count, view.pixels] = sight.first.sample(self.shares)
        seen[count, view.pixels] = 1
        small = resized(seen.view(1, count + 1, view.side, view.side), side)[(..., *window)]
        # a mean over what lies on the surfaces alone: at their outline no region fades
        own = small[:, :count] / small[:, count:].clamp_min(1e-6)
        shares = ((1 - own.sum(1, keepdim=True)).clamp_min_(0), *torch.split(own, 1, dim=1))
        covered = resized(view.covered, side)[(..., *window)]
        pairs = zip(self.objectives, shares, strict=True)
        return tuple(
            Area(objective if (covered * share).amax() > _LEAST else _NOTHING, share) for objective, share in pairs
        )


def _joined(masks: Sequence[Image], layout: Layout, like: Tensor) -> Tensor:
    """1xN: the masks of all sheets."""
    pairs = zip(masks, layout.sides, strict=True)
    return layout.join([mask_of(mask, side, like.device) for mask, side in pairs])
