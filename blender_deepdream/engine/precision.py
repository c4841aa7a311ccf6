# SPDX-License-Identifier: GPL-3.0-or-later
"""In which precision a network calculates: in half of it a dream takes half the time where the hardware knows how.

The image, its gradient and all that is done to them stay float32.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch

from ..protocol.errors import SettingsError
from .brain import Brain

AnyBrain = TypeVar("AnyBrain", bound=Brain)

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""torch's, by the name of the precision."""


def in_precision(brain: AnyBrain, precision: str) -> AnyBrain:
    """The brain, calculating as a setting says: auto, float32, bfloat16 or float16. Shares its network.

    Raises SettingsError where that precision does not work.
    """
    halves = halves_of(brain.device) if getattr(brain.network, "any_precision", False) else ()
    if precision not in ("auto", "float32", *halves):
        able = ", ".join(("auto", "float32", *halves))
        raise SettingsError(
            f"precision = {precision} does not work for brain {brain.card.name!r} on this device.", f"Choose {able}."
        )
    if precision == "auto":
        precision = automatic(brain.device) if halves else "float32"
    chosen = copy.copy(brain)
    chosen.precision = TYPES[precision]
    return chosen


def automatic(device: torch.device) -> str:
    """The fastest precision on such a device that reaches the same objective within 2 % of float32.

    By the device alone, for the bits depend on it. bfloat16, because it has float32's range: in float16 a gradient far
    from its layer may vanish.
    """
    return "bfloat16" if "bfloat16" in halves_of(device) and _is_quick(device) else "float32"


def halves_of(device: torch.device) -> tuple[str, ...]:
    """The half precisions that work on a device."""
    if device.type == "cuda":
        return ("bfloat16", "float16") if torch.cuda.is_bf16_supported(including_emulation=False) else ("float16",)
    if device.type == "cpu" and torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return ("bfloat16",)
    return ()


def _is_quick(device: torch.device) -> bool:
    """Whether the device multiplies in bfloat16 rather than imitating it."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
