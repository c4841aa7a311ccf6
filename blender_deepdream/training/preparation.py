# SPDX-License-Identifier: GPL-3.0-or-later
"""How far pictures are prepared before anything is learned from them."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Preparation(NamedTuple):
    """done: pictures of all. doing: decoding, or sorting into clusters."""

    doing: Literal["decoding", "sorting"]
    done: int
    total: int
