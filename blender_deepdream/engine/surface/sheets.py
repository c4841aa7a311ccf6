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
    """A texture: as it is, square, with alpha 0 where no surface lies; and the side of what it becomes.

    mask: how strongly to dream, as brightness; square, with alpha as the texture's."""

    image: Image
    side: int
    mask: Image | None = None

    def __post_init__(self) -> None:
        for image in (self.image, self.mask or self.image):
            if image.height != image.width:
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
            _finished(sheet, base, detail, settings.strength)
            for sheet, base, detail in zip(sheets, bases, details, strict=True)
        ]
        return cls(tuple(images), _coverage(sheets, seen))


def _coverage(sheets: Sequence[Sheet], seen: Sequence[Tensor]) -> float:
    found = whole = 0.0
    for sheet, weight in zip(sheets, seen, strict=True):
        island = resize_picture(_surface(sheet.image), Size(*weight.shape[-2:])).to(weight) > _INSIDE
        found += float((weight.gt(0) & island).sum())
        whole += float(island.sum())
    return found / max(1.0, whole)


def bare(sheet: Sheet, device: torch.device) -> Tensor:
    """1x3xSxS, dream space: the texture as it is, and beyond the surface's edges what lies at them."""
    seen = dreamspace.enter(sheet.image, 0.0, device)
    return filled(seen, _surface(sheet.image).to(device))


def mask_of(mask: Image | None, side: int, device: torch.device) -> Tensor:
    """1x1xSxS, 0 to 1: a sheet's mask, where it has one, at this side."""
    if mask is None:
        return torch.ones(1, 1, side, side, device=device)
    color = torch.from_numpy(np.nan_to_num(mask.straight_color()).clip(0, 1))
    bright = filled(color.mean(2)[None, None], _surface(mask))
    return resize_picture(bright, Size(side, side)).to(device)


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


def _surface(image: Image) -> Tensor:
    """1x1xSxS: 1 where a surface lies."""
    alpha = np.ones(image.size, np.float32) if image.alpha is None else np.nan_to_num(image.alpha)
    return torch.from_numpy((alpha > 0.5).astype(np.float32))[None, None]


def _finished(sheet: Sheet, base: Tensor, detail: Tensor, strength: float) -> Image:
    """The texture at its full side, in its own colour space."""
    size = Size(sheet.side, sheet.side)
    before = resize_picture(base, size)
    after = resize(detail, size).mul_(strength)
    if sheet.mask is not None:
        after.mul_(mask_of(sheet.mask, sheet.side, after.device))
    after.add_(before).clamp_(0, 1)
    # views of one zero: at 8192 pixels each would take 800 MB
    black = Image(np.broadcast_to(np.float32(0), (*size, 3)), sheet.image.color_space)
    return dreamspace.bring_home(black, after.new_zeros(1).expand_as(after), after, 0.0)
