# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of an image that dream of their own, and what is left of the image to dream as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol.settings import DreamSettings
from .images import Image
from .masks import stretched
from .objectives import Objective
from .octaves import Size, Wrap, resize_picture, with_margin


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of an image. mask: HxW of any size in [0, 1], how much of a pixel is the region's; as `dream_mask` takes
    it. settings: what it dreams of (layers, objective), else the image's. guide: if its objective needs one.
    """

    mask: NDArray[np.float32]
    settings: DreamSettings
    guide: Image | None = None


class Area(NamedTuple):
    """Where an objective has a say. share: 1x1xHxW in [0, 1], in each pixel all areas' come to 1; None: everywhere."""

    objective: Objective
    share: Tensor | None = None

    def at(self, octave: int, size: Size, wrap: Wrap) -> Area:
        """In an octave, counted from 1, of this size."""
        share = None if self.share is None else resize_picture(self.share, size, wrap)
        return Area(self.objective.in_octave(octave), share)

    def within(self, mask: Tensor) -> Tensor:
        """The part of a mask (1x1xHxW) that is this area's."""
        return mask if self.share is None else mask * self.share


def areas_of(
    whole: Objective, parts: Iterable[tuple[Region, Objective]], size: Size, wrap: Wrap, device: torch.device
) -> tuple[Area, ...]:
    """The image's own objective and those of its regions, each with its share of the image.

    size: the image's; shares have its margin, too. Raises ImageError for a mask that is none.
    """
    masks, objectives = [], [whole]
    for region, objective in parts:
        masks.append(stretched(region.mask, size).to(device))
        objectives.append(objective)
    if not masks:
        return (Area(whole),)
    pairs = zip(objectives, shares_of(masks), strict=True)
    return tuple(Area(objective, with_margin(share, wrap)) for objective, share in pairs)


def shares_of(masks: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What is left of a whole, then the share of it that each of its regions has: in each place all come to 1.

    masks: the regions', of one shape, in [0, 1]; they become their shares.
    """
    total = torch.stack(list(masks)).sum(dim=0)
    crowd = total.clamp(min=1)
    return ((1 - total).clamp_(min=0), *(mask.div_(crowd) for mask in masks))
