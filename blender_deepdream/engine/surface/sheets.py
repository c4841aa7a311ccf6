# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures before and after a dream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...protocol.errors import ImageError
from ...protocol.settings import DreamSettings
from .. import dreamspace
from ..images import Image
from ..octaves import Size, resize, resize_picture
from .textures import filled
from .views import View

SHARPNESS = 1.25
"""Texels for each pixel of the sharpest views, along a side: more would dream of what no view shows."""

_INSIDE = 0.99
"""Of a texel that lies wholly on a surface."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A texture: as it is, square, with alpha 0 where no surface lies; and the side of what it becomes."""

    image: Image
    side: int

    def __post_init__(self) -> None:
        if self.image.height != self.image.width:
            raise ImageError("A sheet must be square.")


@dataclass(frozen=True, slots=True, eq=False)
class Dreamt:
    """images: each sheet's, without alpha, filled everywhere. coverage: of the surfaces' texels, the share seen."""

    images: tuple[Image, ...]
    coverage: float

    @classmethod
    def of(
        cls,
        sheets: Sequence[Sheet],
        bases: Sequence[Tensor],
        details: Sequence[Tensor],
        seen: Sequence[Tensor],
        settings: DreamSettings,
    ) -> Dreamt:
        """bases, details: 1x3xSxS, dream space, at any size; seen: 1x1xSxS, as large as the details."""
        images = [
            _finished(sheet, base, detail, settings) for sheet, base, detail in zip(sheets, bases, details, strict=True)
        ]
        return cls(tuple(images), _coverage(sheets, seen))


def _coverage(sheets: Sequence[Sheet], seen: Sequence[Tensor]) -> float:
    found = whole = 0.0
    for sheet, weight in zip(sheets, seen, strict=True):
        island = resize_picture(_surface(sheet), Size(*weight.shape[-2:])).to(weight) > _INSIDE
        found += float((weight.gt(0) & island).sum())
        whole += float(island.sum())
    return found / max(1.0, whole)


def bare(sheet: Sheet, device: torch.device) -> Tensor:
    """1x3xSxS, dream space: the texture as it is, and beyond the surface's edges what lies at them."""
    seen = dreamspace.enter(_opaque(sheet.image), 0.0, device)
    return filled(seen, _surface(sheet).to(device))


def sharpest(views: Sequence[View], sides: Sequence[int]) -> list[int]:
    """The sides at which sheets dream in the last octave: as sharp as views see them, at most as large as wanted."""
    return [min(side, round(SHARPNESS * _texels_a_side(views, number))) for number, side in enumerate(sides)]


def _texels_a_side(views: Sequence[View], sheet: int) -> float:
    """The side of a texture whose texels are as large as the views' pixels, by the median of what they see."""
    sizes = [_pixel_sizes(view, sheet) for view in views]
    found = torch.cat([size for size in sizes if len(size)] or [torch.ones(1)])
    return float(1 / found.median().clamp_min(1e-5))


def _pixel_sizes(view: View, sheet: int) -> Tensor:
    """How much of the map pixels cover, as the side of a square; of those whose neighbours lie beside them."""
    places = view.weight.new_full((2, view.side * view.side), torch.nan)
    own = (view.spots.sheet == sheet) & (view.weight > 0.2 * view.weight.max())
    places[:, view.pixels[own]] = view.spots.place[own].T
    grid = places.view(2, view.side, view.side)
    across, down = (grid.diff(dim=axis)[:, : view.side - 1, : view.side - 1] for axis in (2, 1))
    size = (across[0] * down[1] - across[1] * down[0]).abs().sqrt()
    near = across.abs().amax(0).maximum(down.abs().amax(0)) < 0.1
    return size[near & size.isfinite() & (size > 0)].cpu()


def _surface(sheet: Sheet) -> Tensor:
    """1x1xSxS: 1 where a surface lies."""
    alpha = np.ones(sheet.image.size, np.float32) if sheet.image.alpha is None else np.nan_to_num(sheet.image.alpha)
    return torch.from_numpy((alpha > 0.5).astype(np.float32))[None, None]


def _opaque(image: Image) -> Image:
    return Image(np.ascontiguousarray(image.straight_color(), np.float32), image.color_space)


def _finished(sheet: Sheet, base: Tensor, detail: Tensor, settings: DreamSettings) -> Image:
    """The texture at its full side, in its own colour space."""
    size = Size(sheet.side, sheet.side)
    before = resize_picture(base, size)
    after = resize(detail, size).mul_(settings.strength).add_(before).clamp_(0, 1)
    black = Image(np.zeros((*size, 3), np.float32), sheet.image.color_space)
    return dreamspace.bring_home(black, torch.zeros_like(after), after, 0.0)
