# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says of a node's dream."""

from __future__ import annotations

from pathlib import Path

import bpy

from blender_deepdream.addon import status

from .conftest import only_node


def test_a_dream_comes_and_goes_out_of_date(dreaming: bpy.types.Scene, tmp_path: Path) -> None:
    dreaming.deepdream.cache = str(tmp_path / "cache")
    group = only_node(dreaming).group
    assert status.status(dreaming, group) == status.NEEDS
    bpy.ops.deepdream.dream_frame()
    assert status.status(dreaming, group) == status.DREAMED
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    dreaming = bpy.context.scene
    group = only_node(dreaming).group
    assert status.status(dreaming, group) == status.DREAMED
    group.deepdream.seed += 1
    assert status.status(dreaming, group) == status.CHANGED
    group.deepdream.seed -= 1
    assert status.status(dreaming, group) == status.DREAMED
    dreaming.objects[0].location.x += 1
    bpy.context.view_layer.update()
    assert status.status(dreaming, group) == status.MOVED
    dreaming.frame_set(dreaming.frame_current + 1)
    assert status.status(dreaming, group) == status.NEEDS
