# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dream has come to so far, as a small JPEG now and then, for next to nothing of its time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import cached_property

import PIL.Image
import torch
from torch import Tensor
from torch.nn import functional

from .octaves import Size, Wrap, crop, margin, without_margin

MAX_SIDE = 512
"""Longer side of a preview in pixels, at most."""

INTERVAL_SECONDS = 0.5
SHARE = 0.02
"""How often there is a preview, and how much of the dream's time they may take, both at most."""

QUALITY = 85

Show = Callable[[bytes], None]
"""Takes a JPEG."""


class Preview:
    """The source with what has been dreamt so far, at one small size from the first octave to the last.

    show: takes each picture; None: nobody looks. source: 1x3xHxW, dream space; where: 1x1xHxW, how much of the detail
    is kept there, times `strength`; both with the margins of `octaves.with_margin`, which are cut off. clock: seconds.
    """

    def __init__(
        self,
        show: Show | None,
        source: Tensor,
        where: Tensor,
        strength: float,
        wrap: Wrap,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._show = show
        self._clock = clock
        self._start = self._last = clock()
        self._spent = 0.0
        self._seconds_per_pixel = 0.0
        self._strength = strength
        self._full = (source, where)
        sides = without_margin(source, wrap).shape[-2:]
        scale = min(1.0, MAX_SIDE / max(sides))
        self._margin = Size(*(round(more * scale) for more in margin(wrap)))
        inner = (max(1, round(side * scale)) for side in sides)
        self._size = Size(*(side + 2 * more for side, more in zip(inner, self._margin, strict=True)))

    def offer(self, base: Tensor, dreamt: Tensor) -> None:
        """Show what the octave has come to, unless the last picture is fresh or pictures have cost too much.

        base, dreamt: 1x3xhxw, dream space: the octave without and with its dream.
        """
        if self._show is None:
            return
        start = self._clock()
        expected = self._seconds_per_pixel * base[0, 0].numel()
        if start - self._last >= INTERVAL_SECONDS and self._spent + expected <= SHARE * (start - self._start):
            self._show(as_jpeg(self._picture(base, dreamt)))
            self._spent_on(start, base)

    def _picture(self, base: Tensor, dreamt: Tensor) -> Tensor:
        source, where = self._small
        # each of them small first: their difference at full size would take as much memory as the image
        detail = _resized(dreamt, self._size) - _resized(base, self._size)
        return crop(torch.addcmul(source, where, detail), self._margin)

    @cached_property
    def _small(self) -> tuple[Tensor, Tensor]:
        """Source and mask: made for the first picture, not before the first step."""
        source, where = self._full
        return _resized(source, self._size), _resized(where, self._size) * self._strength

    def _spent_on(self, start: float, looked_at: Tensor) -> None:
        self._last = self._clock()
        self._spent += self._last - start
        self._seconds_per_pixel = (self._last - start) / looked_at[0, 0].numel()


def as_jpeg(picture: Tensor) -> bytes:
    """1x3xHxW, dream space, to the bytes of an 8-bit JPEG."""
    levels = picture[0].clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(levels.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _resized(picture: Tensor, size: Size) -> Tensor:
    """Band-limited on the way down, linear on the way up."""
    shrinks = picture.shape[-2] * picture.shape[-1] > size.pixels
    if shrinks:
        return functional.interpolate(picture, size=size, mode="area")
    return functional.interpolate(picture, size=size, mode="bilinear", align_corners=False)
