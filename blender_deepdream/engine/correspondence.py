# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the surfaces of a frame were in the frame before: by the renderer's own vectors, or by optical flow.

Blender's Vector pass knows the motion exactly, but not what hid what: a surface that was hidden, or outside the
picture, has a vector like any other. So both halves of the pass are asked: whoever goes back along the one and forward
again along the other must come home, and find a surface at about the same distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..protocol.errors import ImageError
from .color import Array

ASTRAY = 1.0
"""Pixels by which the way back and forth may miss: more is another surface."""

NEARER = 1.25
"""By which factor a surface may come nearer or go away from one frame to the next."""

FAR = 6e4
"""Depth from which on there is no surface: Blender writes 1e10, half floats hold 65504 at the most."""

WILD = 1e5
"""Pixels of motion that no picture has: what lies beyond is damage."""

FEATHER = 7
"""Pixels over which trust fades in from where there is none."""

Device = torch.device | str
Homography = Sequence[float]
"""Nine numbers, row by row: from (x, y, 1) of a pixel now to that of the same direction in the frame before, up to a
factor. Fractions of width and height, from the top left. What is infinitely far away moves so when the camera turns."""


class Vectors(NamedTuple):
    """A frame's Vector and Depth passes as Blender wrote them.

    motion: HxWx4 float32, pixels, y up: XY from here to the frame before, ZW from the frame after to here.
    depth: HxW float32, or None.
    """

    motion: Array
    depth: Array | None = None


@dataclass(frozen=True, slots=True)
class Correspondence:
    """source: 1x2xHxW, x and y in the frame before of what each pixel shows, pixels from the top left, centres whole.
    trust: 1x1xHxW, 1 where that is the same surface, 0 where it is not, soft in between."""

    source: Tensor
    trust: Tensor


def by_vectors(
    now: Vectors, before: Vectors, turn: Homography | None = None, *, backwards: bool = False, device: Device = "cpu"
) -> Correspondence:
    """Motion from two frames' passes. turn: what the background did, where it has no vectors.

    backwards: the frame "before" is the later one, as when an animation is rendered from its end.
    Raises ImageError for passes of another size.
    """
    if now.motion.shape != before.motion.shape:
        raise ImageError(
            "The motion vectors of two neighbouring frames have different sizes.", "Render both at one size."
        )
    to_before, to_now = (_to_after, _to_before) if backwards else (_to_before, _to_after)
    way, known = _clean(to_before(now), device)
    return_way, known_before = _clean(to_now(before), device)
    here = places(way)
    if turn is not None and now.depth is not None:
        way = torch.where(_plane(now.depth, device) >= FAR, _turned(here, turn) - here, way)
    if turn is not None and before.depth is not None:
        # the background of the frame before comes back by the inverse of the same turn
        inverse = np.linalg.inv(np.reshape(np.asarray(turn, np.float64), (3, 3))).flatten().tolist()
        return_way = torch.where(_plane(before.depth, device) >= FAR, _turned(here, inverse) - here, return_way)
    source = here + way
    trust = _comes_home(source, here, return_way, ASTRAY) * known * nearest(known_before, source)
    if now.depth is not None and before.depth is not None:
        trust = trust * _same_distance(_plane(now.depth, device), nearest(_plane(before.depth, device), source))
    return Correspondence(source, _feathered(trust))


def by_flow(now: Tensor, before: Tensor) -> Correspondence:
    """Motion guessed from two pictures (1x3xHxW, dream space), by OpenCV's DIS optical flow.

    Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016. Raises ImageError for other sizes.
    """
    if now.shape != before.shape:
        raise ImageError("Two neighbouring frames have different sizes.", "Render both at one size.")
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey_now, grey_before = (_grey(picture) for picture in (now, before))
    nothing = np.zeros((*grey_now.shape, 2), np.float32)
    way = _from_opencv(finder.calc(grey_now, grey_before, nothing.copy()), now)
    return_way = _from_opencv(finder.calc(grey_before, grey_now, nothing), now)
    here = places(way)
    source = here + way
    # a guess is less exact the longer the way
    trust = _comes_home(source, here, return_way, ASTRAY + 0.05 * way.norm(dim=1, keepdim=True))
    return Correspondence(source, _feathered(trust))


def places(like: Tensor) -> Tensor:
    """x and y of each pixel: 1x2xHxW for a tensor of that height and width."""
    height, width = like.shape[-2:]
    rows, columns = (torch.arange(side, dtype=torch.float32, device=like.device) for side in (height, width))
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1])[None]


def nearest(plane: Tensor, source: Tensor) -> Tensor:
    """1xCxHxW read at the pixel nearest to each of `source`'s places; what lies outside, at the border."""
    height, width = plane.shape[-2:]
    columns = source[0, 0].round().long().clamp_(0, width - 1)
    rows = source[0, 1].round().long().clamp_(0, height - 1)
    return plane[..., rows, columns]


def _to_before(vectors: Vectors) -> Array:
    x, y = vectors.motion[..., 0], vectors.motion[..., 1]
    return np.stack([x, -y], axis=2)


def _to_after(vectors: Vectors) -> Array:
    x, y = vectors.motion[..., 2], vectors.motion[..., 3]
    return np.stack([-x, y], axis=2)


def _clean(way: Array, device: Device) -> tuple[Tensor, Tensor]:
    """1x2xHxW without NaN or absurd lengths, and 1x1xHxW that is 1 where there was nothing to clean."""
    with np.errstate(invalid="ignore"):
        known = np.all(np.abs(way) < WILD, axis=2, keepdims=True)
    cleaned = np.where(known, way, 0).astype(np.float32).transpose(2, 0, 1)
    return torch.from_numpy(cleaned)[None].to(device), _plane(known[..., 0].astype(np.float32), device)


def _plane(array: Array, device: Device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))[None, None].to(device)


def _turned(here: Tensor, turn: Homography) -> Tensor:
    height, width = here.shape[-2:]
    size = here.new_tensor([width, height]).view(1, 2, 1, 1)
    matrix = here.new_tensor(list(turn)).view(3, 3)
    way = torch.cat([(here + 0.5) / size, torch.ones_like(here[:, :1])], dim=1)
    there: Tensor = torch.einsum("ij,njhw->nihw", matrix, way)
    # what lies behind the camera was not in the picture
    ahead = there[:, 2:].clamp_min(1e-6)
    seen: Tensor = there[:, :2] / ahead
    return seen.mul(size).sub(0.5)


def _comes_home(source: Tensor, here: Tensor, return_way: Tensor, astray: float | Tensor) -> Tensor:
    size = here.new_tensor([here.shape[-1] - 1, here.shape[-2] - 1]).view(1, 2, 1, 1)
    inside = ((source >= 0) & (source <= size)).all(dim=1, keepdim=True)
    miss = (source + nearest(return_way, source) - here).norm(dim=1, keepdim=True)
    home: Tensor = (miss < astray) & inside
    return home.float()


def _same_distance(now: Tensor, before: Tensor) -> Tensor:
    ratio = now.clamp_min(1e-6) / before.clamp_min(1e-6)
    near = (ratio < NEARER) & (ratio > 1 / NEARER)
    return (near | ((now >= FAR) & (before >= FAR))).float()


def _feathered(trust: Tensor) -> Tensor:
    """Trust without its outermost pixels, whose colour is partly another surface's, and soft from there inwards."""
    core = -functional.max_pool2d(-trust, 3, 1, 1)
    soft = functional.avg_pool2d(core, FEATHER, 1, FEATHER // 2, count_include_pad=False)
    return torch.minimum(core, soft)


def _grey(picture: Tensor) -> NDArray[np.uint8]:
    pixels = picture[0].mean(dim=0).clamp(0, 1).mul(255).round().byte().cpu().numpy()
    return np.ascontiguousarray(pixels)


def _from_opencv(flow: Any, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(flow.transpose(2, 0, 1)))[None].to(like.device)
