# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown while a dream comes along, and what is left of it."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import live_preview
from blender_deepdream.addon.looks import look_files, picture_of

JPEG = picture_of(next(look_files())).read_bytes()


@pytest.mark.parametrize("shown", ["", "Painted"])
def test_a_saved_file_knows_nothing_of_it(scene: bpy.types.Scene, tmp_path: Path, shown: str) -> None:
    live_preview.show(JPEG, shown)
    bpy.data.images["DeepDream Preview"].use_fake_user = True  # as an Image Editor does that shows it
    path = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    content = path.read_bytes()
    assert b"DeepDream Preview" not in content
    assert b"deepdream-preview" not in content
    live_preview.show(JPEG, shown)
    assert bpy.data.images["DeepDream Preview"].size[0] > 0
    live_preview.end(None)
    assert "DeepDream Preview" not in bpy.data.images
