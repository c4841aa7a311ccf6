# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from blender_deepdream.addon import render_job
from blender_deepdream.addon.restore import Restore


def test_what_is_held_is_as_the_artist_set_it_while_a_file_is_saved() -> None:
    render = SimpleNamespace(format="PNG", depth=8)
    with Restore() as restore:
        restore.set(render, "format", "EXR")
        restore.set(render, "depth", 32)
        with render_job.holding(restore):
            render_job.swap_held()
            assert (render.format, render.depth) == ("PNG", 8)
            render_job.swap_held()
            assert (render.format, render.depth) == ("EXR", 32)
        render_job.swap_held()
        assert (render.format, render.depth) == ("EXR", 32)
    assert (render.format, render.depth) == ("PNG", 8)


def test_a_save_that_fails_leaves_what_is_held(scene: bpy.types.Scene, tmp_path: Path) -> None:
    (tmp_path / "taken.blend").mkdir()
    scene.render.use_border = False
    with Restore() as restore:
        restore.set(scene.render, "use_border", True)
        with render_job.holding(restore):
            with pytest.raises(RuntimeError):
                bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "taken.blend"))
            assert scene.render.use_border
            with pytest.raises(RuntimeError):
                bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "nowhere" / "there.blend"))
            assert scene.render.use_border
    assert not scene.render.use_border
