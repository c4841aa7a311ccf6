# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tests run beside each other: more threads than cores would only wait for one another."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def brain() -> Brain:
    return load_brain("lite0")


@pytest.fixture
def quick() -> DreamSettings:
    """A dream of a moment: two octaves of two steps, early layers."""
    return DreamSettings().replace(octaves=2, steps=2, layers=(("_blocks.4", 1.0),))


@pytest.fixture
def scene() -> Image:
    """A small scene-linear image without alpha: soft shapes, a dark side, and a highlight of 10."""
    rows, columns = np.mgrid[0:40, 0:56].astype(np.float32)
    shape = np.sin(rows / 5) * np.cos(columns / 7) * 0.3 + 0.35
    pixels = np.stack([shape, shape * columns / 56, shape * rows / 40], axis=2).astype(np.float32)
    pixels[5:9, 6:10] = 10
    return Image(pixels, ColorSpace.LINEAR_REC709)
