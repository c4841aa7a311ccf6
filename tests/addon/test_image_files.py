# SPDX-License-Identifier: GPL-3.0-or-later
"""Guides and masks without a file of their own, as files."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon.image_files import image_file

from .conftest import pixels

COLOR = (0.18, 0.5, 2.0, 1.0)


def painted(color: tuple[float, ...], space: str, *, is_float: bool) -> bpy.types.Image:
    image = bpy.data.images.new("Guide", 4, 2, alpha=True, float_buffer=is_float)
    image.colorspace_settings.name = space
    image.pixels.foreach_set(np.tile(np.array(color, np.float32), 8))
    return image


@pytest.mark.parametrize("space", ["Linear Rec.709", "Non-Color", "sRGB"])
def test_floats_are_sent_as_they_are(scene: bpy.types.Scene, tmp_path: Path, space: str) -> None:
    path = image_file(painted(COLOR, space, is_float=True), tmp_path)
    assert path.suffix == ".exr"
    assert np.allclose(pixels(path), COLOR, atol=1e-3)


def test_bytes_are_sent_as_they_are(scene: bpy.types.Scene, tmp_path: Path) -> None:
    color = (0.2, 0.4, 1.0, 1.0)  # whole bytes
    path = image_file(painted(color, "sRGB", is_float=False), tmp_path)
    assert path.suffix == ".png"
    assert np.allclose(pixels(path), color, atol=1e-3)
