# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens when a device has too little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..protocol.errors import OutOfMemoryError


@contextmanager
def memory_errors() -> Iterator[None]:
    """Has a device that runs out of memory say so as OutOfMemoryError."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _out_of_memory() from error
    except RuntimeError as error:
        # The CPU allocator has no exception of its own
        if "not enough memory" in str(error) or "can't allocate memory" in str(error):
            raise _out_of_memory() from error
        raise


def _out_of_memory() -> OutOfMemoryError:
    return OutOfMemoryError(
        "There is too little memory to dream an image of this size.",
        "Dream a smaller image, in smaller tiles, or an earlier layer, or close other programs.",
    )
