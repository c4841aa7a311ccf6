# SPDX-License-Identifier: GPL-3.0-or-later
"""What the textures have come to so far, seen from a few sides, as a small JPEG now and then."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from ...protocol.settings import DreamSettings
from ..preview import INTERVAL_SECONDS, SHARE, Show, as_jpeg
from .sight import Sight
from .views import resized

_SIDES, _SIDE = 4, 192
"""How many views are shown, and how large."""


class Showing:
    """show: takes each picture; None: nobody looks. views: how many there are."""

    def __init__(self, show: Show | None, views: int) -> None:
        self._show = show
        self._chosen = [number * views // _SIDES for number in range(min(_SIDES, views))]
        self._start = self._last = time.perf_counter()
        self._spent = 0.0

    def offer(self, sights: Sequence[Sight], texels: Tensor, settings: DreamSettings) -> None:
        """Show the views with these textures, unless the last picture is fresh or pictures have cost too much."""
        now = time.perf_counter()
        fresh = now - self._last < INTERVAL_SECONDS or self._spent > SHARE * (now - self._start)
        if self._show is None or fresh:
            return
        pictures = [sights[number].picture(texels, settings) for number in self._chosen]
        self._show(as_jpeg(torch.cat([resized(picture, _SIDE) for picture in pictures], dim=3)))
        self._last = time.perf_counter()
        self._spent += self._last - now
