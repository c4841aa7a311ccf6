# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream that stays on the surfaces: the detail of the frame before is carried along their motion.

Carried is the detail (dream minus source, in dream space), so that light and colour of the render stay right. What is
carried needs little more dreaming, what has just come into view needs all of it: the steps have another length here and
there. The smaller octaves dream anew everywhere, and what was carried enters the last one: what comes into view behind
a thing would else go on with the dream of that thing. Two things would spoil it over many frames. Resampling, frame
after frame, softens: so it is done with a long kernel. And steps pile up where nothing takes them away: so each band of
frequencies is held at the energy that it had when the shot began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..protocol.settings import DreamSettings
from .correspondence import Correspondence
from .mixture import Mixture, blend, likeness, mixture
from .octaves import Wrap, with_margin, without_margin

LOBES = 3
"""Of Lanczos' kernel: two lobes already lose a tenth of the finest band in five frames."""

BANDS = 4
"""Octaves of frequencies that are held apart; the last has all that is coarser."""

MOST_GAIN = 1.3
"""By how much a band may be raised or lowered in one frame."""

FRESH = 0.8
"""How far steps go where nothing was carried, times the way that all steps of an independent frame go: a little less
comes to the same strength, because half as many steps change direction half as often."""

INDEPENDENT_BELOW = 0.25
"""Coherence below which less and less is carried at all, so that 0 is a frame of its own."""

CUT = 0.08
"""Share of a frame's surfaces below which it has nothing to do with the one before. Optical flow finds up to 0.04 of a
picture in another one, and 0.1 in a frame of the same orbit eight frames on."""

ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Detail:
    """What a frame hands to the one after it.

    planes: 1x3xHxW float16, dream minus source in dream space, before mask and strength. energies: what its bands shall
    have for as long as the shot lasts, with steps that go as far as `reach` (steps times step size). mixture: of which
    layers it was dreamed.
    """

    planes: Tensor
    energies: tuple[float, ...]
    reach: float
    mixture: Mixture = ()


Keep = Callable[[Detail], None]
"""Takes what a frame hands on."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A frame's place in its shot.

    before: what the frame before handed on, and motion: where its surfaces are now; both None for the first frame of a
    shot. keep: takes what this frame hands on.
    """

    before: Detail | None = None
    motion: Correspondence | None = None
    keep: Keep | None = None


ALONE = Chain()


class Coherence:
    """What a frame makes of what it has of the frame before, and how far its steps go where.

    wrap: which sides have no margin. A frame that has something of the one before takes half of the steps.
    """

    def __init__(self, chain: Chain, settings: DreamSettings, wrap: Wrap) -> None:
        before, motion = chain.before, chain.motion
        self._keep = chain.keep
        self._wrap = wrap
        self._mixture = mixture(settings)
        self._reach = settings.steps * settings.step_size
        self._energies: tuple[float, ...] = ()
        self.steps = settings.steps
        self._carried: Tensor | None = None
        if before is None or motion is None or not settings.coherence or is_cut(motion):
            return
        # a dream is about as strong as its steps are long
        self._energies = tuple(energy * self._reach / before.reach for energy in before.energies)
        self.steps = math.ceil(settings.steps / 2)
        self._fresh = FRESH * settings.steps / self.steps
        self._held = self._fresh * (1 - settings.coherence)
        self._lengths: Tensor | float = self._fresh
        # what the layers fade from is let go as they fade, and after that as long as anything of it is left
        kept = likeness(before.mixture, self._mixture)
        self._mixture = blend(before.mixture, self._mixture, kept)
        known = motion.trust * min(1.0, settings.coherence / INDEPENDENT_BELOW)
        trust = known * kept
        carried = warp(before.planes.float(), motion.source).mul_(trust)
        self._carried, self._trust, self._known = (with_margin(plane, wrap) for plane in (carried, trust, known))

    def begin(self, base: Tensor, detail: Tensor, *, last: bool) -> Tensor:
        """What an octave begins with: its source with what smaller octaves have dreamed. All 1x3xhxw; `detail` is lost.

        In the last octave what was carried takes its place, where it is trusted.
        """
        if last and self._carried is not None:
            detail.mul_(1 - self._trust).add_(self._carried)
            self._lengths = self._trust * (self._held - self._fresh) + self._fresh
        return detail.add_(base)

    def paced(self, change: Tensor) -> Tensor:
        """A step's change in this octave, in place: short where it holds carried detail, long where it begins anew."""
        return change if self._carried is None else change.mul_(self._lengths)

    def end(self, detail: Tensor) -> Tensor:
        """The finished detail with its bands held; without margins it is handed on to the frame after."""
        if self._carried is not None:
            detail = hold(detail, self._known, self._energies)
        if self._keep is not None:
            inner = without_margin(detail, self._wrap)
            self._keep(Detail(inner.half(), self._energies or energies(inner), self._reach, self._mixture))
        return detail


def is_cut(motion: Correspondence) -> bool:
    """Whether next to nothing of the frame before is found again: that is another shot."""
    return float(motion.trust.mean()) < CUT


def warp(picture: Tensor, source: Tensor) -> Tensor:
    """1xCxHxW read at `source` (1x2xHxW, pixels), with Lanczos' kernel; what lies outside repeats the border."""
    parts = [
        _warp_rows(picture, source[..., top : top + ROWS_AT_ONCE, :])
        for top in range(0, source.shape[-2], ROWS_AT_ONCE)
    ]
    return torch.cat(parts, dim=-2)


def _warp_rows(picture: Tensor, source: Tensor) -> Tensor:
    height, width = picture.shape[-2:]
    # far outside is as good as just outside
    source = torch.minimum(source.clamp_min(-8), source.new_tensor([width + 8, height + 8]).view(1, 2, 1, 1))
    first = source.floor()
    across, down = (_kernel(fraction) for fraction in (source - first)[0])
    column, row = first[0].long()
    result = torch.zeros((*picture.shape[:2], *source.shape[-2:]), dtype=picture.dtype, device=picture.device)
    for below, weight_down in zip(range(1 - LOBES, LOBES + 1), down, strict=True):
        rows = (row + below).clamp_(0, height - 1)
        for right, weight_across in zip(range(1 - LOBES, LOBES + 1), across, strict=True):
            columns = (column + right).clamp_(0, width - 1)
            result.addcmul_(picture[..., rows, columns], weight_down * weight_across)
    return result


def _kernel(fraction: Tensor) -> Tensor:
    """Weights of the 2 * LOBES pixels around a place that lies `fraction` behind the middle one: they sum to 1."""
    offsets = torch.arange(1 - LOBES, LOBES + 1, device=fraction.device, dtype=fraction.dtype).view(-1, 1, 1)
    distance = fraction - offsets
    weights = torch.sinc(distance) * torch.sinc(distance / LOBES)
    # torch's sinc is not quite 0 where it should be: what does not move shall not change by a bit
    weights = torch.where(distance == distance.round(), (distance == 0).to(weights), weights)
    return weights / weights.sum(dim=0)


def energies(detail: Tensor, where: Tensor | None = None) -> tuple[float, ...]:
    """The RMS of each band of the detail (1x3xHxW), fine to coarse. where: 1x1xHxW weights; None: everywhere alike."""
    weights = torch.ones_like(detail[:, :1]) if where is None else where
    return tuple(_rms(band, _shrunk(weights, band)) for band in _split(detail))


def hold(detail: Tensor, trust: Tensor, wanted: Sequence[float]) -> Tensor:
    """The detail with its bands, where it was carried, at the energies they shall have, as far as MOST_GAIN goes.

    detail: 1x3xHxW. trust: 1x1xHxW. wanted: as from `energies`. Where nothing is trusted it stays as it is.
    """
    bands: list[Tensor] = []
    for band, energy in zip(_split(detail), wanted, strict=True):
        here = _shrunk(trust, band)
        gain = energy / max(_rms(band, here), 1e-9) if float(here.sum()) >= 1 else 1.0
        bands.append(band * (1 + (min(max(gain, 1 / MOST_GAIN), MOST_GAIN) - 1) * here))
    return _join(bands)


def _split(detail: Tensor) -> list[Tensor]:
    """A Laplacian pyramid (Burt and Adelson, 1983), fine to coarse: each half as large as the one before."""
    bands: list[Tensor] = []
    while len(bands) < BANDS - 1 and min(detail.shape[-2:]) >= 4:
        low = functional.interpolate(
            detail, size=[(side + 1) // 2 for side in detail.shape[-2:]], mode="bilinear", antialias=True
        )
        bands.append(detail - _grown(low, detail))
        detail = low
    return [*bands, detail]


def _join(bands: Sequence[Tensor]) -> Tensor:
    detail = bands[-1]
    for band in reversed(bands[:-1]):
        detail = _grown(detail, band) + band
    return detail


def _grown(low: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(low, size=like.shape[-2:], mode="bicubic", align_corners=False)


def _shrunk(weights: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(weights, size=like.shape[-2:], mode="area")


def _rms(band: Tensor, weights: Tensor) -> float:
    return float((band.square().mul(weights).sum() / (weights.sum() * band.shape[1]).clamp_min(1)).sqrt())
