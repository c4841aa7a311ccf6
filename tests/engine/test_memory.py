# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from blender_deepdream.engine.memory import memory_errors
from blender_deepdream.protocol.errors import OutOfMemoryError


def test_out_of_memory_is_said():
    with pytest.raises(OutOfMemoryError, match="smaller image"), memory_errors():
        torch.empty(2**55)
    with pytest.raises(OutOfMemoryError), memory_errors():
        raise torch.OutOfMemoryError("CUDA out of memory.")
    with pytest.raises(RuntimeError, match="something else"), memory_errors():
        raise RuntimeError("something else")
