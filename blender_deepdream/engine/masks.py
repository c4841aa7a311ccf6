# SPDX-License-Identifier: GPL-3.0-or-later
"""Where, and how strongly, each pixel dreams."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol.errors import ImageError
from .octaves import Size, resize_picture


def dream_mask(mask: NDArray[np.float32] | None, dreamable: NDArray[np.bool_], device: torch.device) -> Tensor:
    """The artist's mask as 1x1xHxW in [0, 1], and 0 wherever the source has no colour to dream with.

    mask: heightxwidth of any size, stretched to the source's; values outside [0, 1] are clipped, NaN is 0. None: all.
    dreamable: HxW, false where the source is transparent or not finite. Raises ImageError for a mask of another shape.
    """
    where = torch.from_numpy(dreamable.astype(np.float32))[None, None]
    if mask is not None:
        where = where * stretched(mask, Size(*dreamable.shape))
    return where.to(device)


def stretched(mask: NDArray[np.float32], size: Size) -> Tensor:
    """A mask of any size as 1x1xHxW of this size, in [0, 1]. Raises ImageError for what is no mask."""
    if mask.ndim != 2 or not mask.size:
        raise ImageError(f"A mask must be a grey image, height by width, not of shape {mask.shape}.")
    clean = np.clip(np.nan_to_num(mask.astype(np.float32), nan=0.0), 0, 1)
    return resize_picture(torch.from_numpy(clean)[None, None], size)
