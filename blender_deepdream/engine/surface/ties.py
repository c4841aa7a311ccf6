# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of an edge of islands made to show the same, as seams are fused on textures in use.

Liu, Ferguson, Jacobson and Gingold, "Seamless: Seam erasure and seam-aware decoupling of shape from mesh resolution",
2017, solve for this along a mesh's edges; here views tell which places are the same one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .sight import Sight
from .textures import Footprint

_ROUNDS = 8
_HOLD = 2.0
"""How much more the texels that views see hold on to what they are than those around the islands, which follow."""


def tied(texels: Tensor, sights: Sequence[Sight], seen: Tensor) -> Tensor:
    """CxN: texels with nearly the same at both places of each pixel that has two, by damped least squares.

    texels: CxN. seen: 1xN, the weight with which views see each texel."""
    sights = [sight for sight in sights if len(sight.view.second.number)]
    if not sights:
        return texels
    first = _joined([sight.first.part(sight.view.second.number) for sight in sights])
    second = _joined([sight.second for sight in sights])
    weight = torch.cat([sight.view.weight[sight.view.second.number] for sight in sights])[None]
    count = texels.shape[1]
    held = first.splat(weight, count) + second.splat(weight, count) + _HOLD * seen
    for _ in range(_ROUNDS):
        gap = (first.sample(texels) - second.sample(texels)).mul_(weight)
        texels = texels + (second.splat(gap, count) - first.splat(gap, count)) / held.clamp_min(1e-6)
    return texels


def _joined(prints: Sequence[Footprint]) -> Footprint:
    return Footprint(*(torch.cat(parts, 1) for parts in zip(*((one.texel, one.share) for one in prints), strict=True)))
