# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera's look at the surfaces: what it sees of any texture, and how much it counts where.

What a pixel shows is affine in the texture's colour: what it shows of a black one, plus light times colour. Both come
from two renders, so the textures that are dreamed hold no light and no shadow, whatever the shader.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...protocol.errors import ImageError
from ...protocol.messages import ColorSpace
from ..color import SHOULDER, SHOULDER_SLOPE, Array, convert
from ..images import Image, read_image
from .passes import Passes, read_passes
from .seams import beyond_edges
from .textures import Footprint, Spots

BACKGROUND = 0.2
"""What lies behind the objects where nothing was rendered, scene-linear."""
MOST_GRAZING = 0.1
"""Cosine of the angle between surface and view below which a pixel has no say: it would smear over many texels."""
LEAST_LIGHT = 0.05
_AROUND = 16
"""Pixels of background that the network is shown around the objects."""
_MOST_PIXELS = 2048 * 2048


class Second(NamedTuple):
    """number: N, which of a view's pixels that see a surface. spots: where else they lie."""

    number: Tensor
    spots: Spots


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """dark, light: 3xHxW, scene-linear Rec.709: what is seen of a black texture, its background included, and how much
    a white one adds. pixels: P, the numbers of those that see a surface; spots: where on it; weight: P, from 0, how
    much their say is worth. second: second places of some of them, beyond the edges of islands. covered: 1x1xHxW, 0 to
    1, where the surfaces are."""

    dark: Tensor
    light: Tensor
    covered: Tensor
    pixels: Tensor
    spots: Spots
    weight: Tensor
    second: Second

    @property
    def side(self) -> int:
        return int(self.dark.shape[-1])

    def window(self, side: int) -> tuple[slice, slice]:
        """Rows and columns of the part of a picture of the view, `side` pixels large, in which the surfaces are."""
        return _span(self.covered[0, 0].amax(1), side), _span(self.covered[0, 0].amax(0), side)

    def picture(self, footprint: Footprint, texels: Tensor, exposure: float, highlights: str = "clip") -> Tensor:
        """1x3xHxW, dream space: the view with these textures (3xN, dream space). exposure, highlights: as
        `dreamspace.enter` takes them."""
        seen = self.dark.flatten(1).clone()
        light = self.light.flatten(1)[:, self.pixels]
        seen[:, self.pixels] += light * decoded(footprint.sample(texels))
        return exposed(seen, exposure, highlights).view(1, *self.dark.shape)


def read_view(
    dark: Path,
    light: Path,
    facts: Path,
    eye: Sequence[float],
    space: ColorSpace,
    *,
    sheets: int,
    device: torch.device,
    behind: Path | None = None,
) -> View:
    """A view from its files, as `protocol.surface.View` describes them.

    Raises ImageError for files that are damaged, too large, of different sizes, or name a sheet that is not there.
    """
    black, white, *beyond = (read_image(path, space) for path in (dark, light, behind) if path)
    passes = read_passes(facts)
    sizes = {black.size, white.size, passes.sheet.shape, *(image.size for image in beyond)}
    if len(sizes) != 1 or black.height * black.width > _MOST_PIXELS:
        raise ImageError("The pictures of a view differ in size, or are too large.", "Render them alike, up to 2048.")
    if black.height != black.width:
        raise ImageError("A view's pictures must be square.")
    if passes.sheet.max(initial=0) > sheets:
        raise ImageError(f"A view shows sheet {int(passes.sheet.max())}, and there are {sheets}.")
    covered = _alpha(black)
    background = (1 - covered)[..., None] * (_linear(beyond[0]) if beyond else np.float32(BACKGROUND))
    seen, lit = (_linear(image) for image in (black, white))
    on = _grown(passes.sheet, passes.places, covered > 0)
    weight = _facing(passes.normals, passes.positions, np.asarray(eye, np.float32)) * covered * (passes.sheet > 0)
    numbers = np.flatnonzero(on[0])
    light_map = np.clip(lit - seen, 0, None)
    # where no light falls, a texture makes no difference that anybody could see
    bright = np.clip(light_map.mean(2), LEAST_LIGHT, 1)
    pixels = torch.from_numpy(numbers).to(device)
    place = torch.from_numpy(on[1].reshape(-1, 2)[numbers]).to(device)
    sheet = torch.from_numpy(on[0].ravel()[numbers] - 1).to(device)
    return View(
        _planes(seen + background, device),
        _planes(light_map, device),
        torch.from_numpy(covered)[None, None].to(device),
        pixels,
        Spots(sheet, place),
        torch.from_numpy((weight * bright).ravel()[numbers].astype(np.float32)).to(device),
        _second(passes, numbers, device),
    )


def seeing(views: Sequence[View]) -> list[View]:
    """Those that see anything of the surfaces. Raises ImageError if none does."""
    found = [view for view in views if len(view.pixels)]
    if not found:
        raise ImageError(
            "No view sees anything of the surfaces.", "Is the camera aimed at them, and nothing before it?"
        )
    return found


def _second(passes: Passes, numbers: NDArray[np.int64], device: torch.device) -> Second:
    """numbers: of the pixels that see a surface, ascending."""
    found = beyond_edges(passes)
    places = Spots(torch.from_numpy(found.sheet - 1).to(device), torch.from_numpy(found.place).to(device))
    return Second(torch.from_numpy(np.searchsorted(numbers, found.pixel)).to(device), places)


def _span(covered: Tensor, side: int) -> slice:
    """From the first to the last that is covered, in a row of `side` pixels, and some around."""
    on = torch.nonzero(covered).flatten().tolist() or [0, len(covered) - 1]
    scale = side / len(covered)
    return slice(max(0, math.floor(on[0] * scale) - _AROUND), min(side, math.ceil((on[-1] + 1) * scale) + _AROUND))


def resized(picture: Tensor, side: int) -> Tensor:
    """1xCxHxW, means over pixels on the way down."""
    return picture if picture.shape[-1] == side else functional.interpolate(picture, size=(side, side), mode="area")


def decoded(picture: Tensor) -> Tensor:
    """sRGB's curve in [0, 1] to linear light; `color.srgb_decode` for tensors."""
    curved = ((picture.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(picture <= 0.04045, picture / 12.92, curved)


def encoded(light: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB's curve; `color.srgb_encode` for tensors."""
    curved = 1.055 * light.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, curved)


def exposed(light: Tensor, exposure: float, highlights: str) -> Tensor:
    """Linear light to dream space, as `dreamspace.enter` takes exposure and highlights."""
    brought = light * 2.0**exposure
    return encoded((rolled_off(brought) if highlights == "roll-off" else brought).clamp_(0, 1))


def rolled_off(light: Tensor) -> Tensor:
    """Linear light with a smooth shoulder; `color.roll_off` for tensors."""
    above = (light - SHOULDER).clamp_min_(0).div_(1 - SHOULDER)
    curved = SHOULDER + (1 - SHOULDER) / SHOULDER_SLOPE * torch.log1p(SHOULDER_SLOPE * above)
    return torch.where(light <= SHOULDER, light, curved)


def _alpha(image: Image) -> Array:
    alpha = np.ones(image.size, np.float32) if image.alpha is None else image.alpha
    clean: Array = np.clip(np.nan_to_num(alpha, nan=0.0), 0, 1)
    return clean


def _linear(image: Image) -> Array:
    """HxWx3, Linear Rec.709, finite, still multiplied by alpha."""
    if image.color.shape[2] != 3:
        raise ImageError("A view's picture has no colours.", "Render RGBA.")
    color = convert(np.clip(np.nan_to_num(image.color), 0, 1e4), image.color_space, ColorSpace.LINEAR_REC709)
    return np.ascontiguousarray(color, np.float32)


def _planes(picture: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)).to(device)


def _facing(normals: Array, positions: Array, eye: Array) -> Array:
    """HxW, 0 to 1: how squarely the camera sees the surface."""
    toward = eye - positions
    lengths = np.linalg.norm(toward, axis=2) * np.linalg.norm(normals, axis=2)
    cosine = np.abs((toward * normals).sum(2)) / np.maximum(lengths, 1e-12)
    faces: Array = np.clip((cosine - MOST_GRAZING) / (1 - MOST_GRAZING), 0, 1) ** 2
    return faces


def _grown(index: NDArray[np.int64], places: Array, covered: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Array]:
    """Sheets and places with those of a neighbour on the outline, where the one sample of a pixel has missed."""
    index, places = index.copy(), places.copy()
    for axis, way in ((0, 1), (0, -1), (1, 1), (1, -1)):
        near_index, near_places = np.roll(index, way, axis), np.roll(places, way, axis)
        missed = covered & (index == 0) & (near_index > 0)
        index[missed], places[missed] = near_index[missed], near_places[missed]
    return index, places
