# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on a frame's way, by accident or by hand: said in words, and nothing lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import compat, node, runtime
from blender_deepdream.addon.cache import Cache
from blender_deepdream.addon.pipeline import dream_frames
from blender_deepdream.addon.runtime import ServerChoice
from blender_deepdream.protocol.errors import (
    SceneError,
    ServerUnavailableError,
    SettingsError,
    StorageError,
    UnauthorizedError,
    UnknownLayerError,
)
from tests.scenes import build_scene

from .conftest import MakeJob, dream_node, notes, only_node, run
from .test_pipeline import chain, out
from .test_rendering import snapshot


def test_damaged_files_in_the_cache_are_made_again(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job(dreaming))
    good = (tmp_path / "out" / "0001.exr").read_bytes()
    for path in (tmp_path / "cache").rglob("0001.exr"):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    (tmp_path / "out" / "0001.exr").write_bytes(b"no image")
    job = make_job(dreaming, reuse_captures=True)
    run(job)
    assert "render" in job.seconds
    assert (tmp_path / "out" / "0001.exr").read_bytes() == good


def test_cancel_in_mid_dream(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    only_node(dreaming).group.deepdream.steps = 1000
    before = snapshot(dreaming)
    steps = dream_frames(make_job(dreaming, [3]))
    for event in steps:
        if event.stage == "dream":
            assert event.progress.steps == 1000
            assert event.progress.eta is not None
            break
    steps.close()
    assert snapshot(dreaming) == before
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    assert not list((tmp_path / "cache" / "dream").rglob("*.exr"))


def test_killed_server_is_started_again(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    only_node(dreaming).group.deepdream.steps = 20
    steps = dream_frames(make_job(dreaming))
    for event in steps:
        if event.stage == "dream":
            os.kill(runtime._server.process.pid, signal.SIGKILL)
            break
    assert [event.stage for event in steps][-1] == "finished"
    assert out(tmp_path).shape == (48, 64, 4)


def test_no_node(scene: bpy.types.Scene, make_job: MakeJob) -> None:
    with pytest.raises(SceneError, match="no DeepDream node"):
        run(make_job(scene))


def test_no_camera(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    dreaming.camera = None
    with pytest.raises(SceneError, match="no camera"):
        run(make_job(dreaming))


def test_nothing_linked(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    tree = compat.compositor_tree(dreaming)
    item = dream_node(dreaming)
    tree.links.remove(item.inputs["Image"].links[0])
    with pytest.raises(SceneError, match="Nothing is linked"):
        run(make_job(dreaming))


def test_no_frames(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    with pytest.raises(SceneError, match="no frames"):
        run(make_job(dreaming, frames=range(0)))


def test_unknown_layer_names_those_there_are(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    only_node(dreaming).group.deepdream.layers = "_blocks.99"
    with pytest.raises(UnknownLayerError, match=r"_blocks\.9"):
        run(make_job(dreaming))


def test_malformed_layers(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    only_node(dreaming).group.deepdream.layers = "_blocks.9=much"
    with pytest.raises(SettingsError, match="much"):
        run(make_job(dreaming))


def test_output_that_cannot_be_written(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        run(make_job(dreaming, output=lambda frame: tmp_path / "file" / f"{frame}.exr"))


def test_cache_that_cannot_be_written(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        run(make_job(dreaming, cache=Cache(tmp_path / "file")))


def test_output_that_is_a_folder(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "out" / "0001.exr").mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be written"):
        run(make_job(dreaming))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0001.exr"]


def test_beside_a_file_that_was_never_saved(
    dreaming: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender would take the folder it was started in."""
    monkeypatch.chdir(tmp_path)
    compat.set_format(dreaming.render.image_settings, "PNG")
    dreaming.render.filepath, dreaming.frame_end = "//frames/", 1
    with pytest.raises(RuntimeError, match=r"frames lies beside a \.blend that was never saved"):
        bpy.ops.deepdream.dream_animation()
    dreaming.deepdream.cache = "//cache"
    with pytest.raises(RuntimeError, match=r"cache lies beside a \.blend that was never saved"):
        bpy.ops.deepdream.dream_frame()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("gone", [False, True])
def test_frames_that_will_not_show_the_dream_are_told(
    dreaming: bpy.types.Scene, make_job: MakeJob, *, gone: bool
) -> None:
    tree = compat.compositor_tree(dreaming)
    target = compat.output_socket(tree)
    if gone:
        tree.nodes.remove(target.node)
    else:
        tree.links.remove(target.links[0])
    assert any("will not show the dream" in note for note in notes(make_job(dreaming, [1, 2])))
    assert notes(make_job(dreaming, output=None)) == [], "Dream Frame writes none"


def test_a_node_of_another_file_is_refused_in_words(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    name = dream_node(dreaming).node_tree.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    scene = build_scene()
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.node_groups = [name]
    node.insert_before_output(scene).node_tree = wanted.node_groups[0]
    with pytest.raises(SceneError, match="linked from another file"):
        run(make_job(scene))
    assert not bpy.ops.deepdream.new_seed.poll()


def test_server_that_is_not_there(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    choice = ServerChoice(url="http://127.0.0.1:9", token_file=str(tmp_path / "token"))
    with pytest.raises(ServerUnavailableError):
        run(make_job(dreaming, connect=lambda: runtime.connect(choice)))


def test_wrong_token(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    runtime.connect(ServerChoice())
    (tmp_path / "token").write_text("wrong")
    choice = ServerChoice(url=runtime._server.url, token_file=str(tmp_path / "token"))
    with pytest.raises(UnauthorizedError):
        run(make_job(dreaming, connect=lambda: runtime.connect(choice)))


@pytest.mark.parametrize("chained", [False, True])
def test_scrubbing_in_mid_dream_changes_nothing(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path, chained: bool
) -> None:
    if chained:
        chain(dreaming)
    run(make_job(dreaming))
    alone = (tmp_path / "out" / "0001.exr").read_bytes()
    for path in (tmp_path / "cache" / "dream").rglob("*.exr"):
        path.unlink()
    for event in dream_frames(make_job(dreaming)):
        if event.stage in ("dream", "capture", "composite"):
            dreaming.frame_set(5)
    assert (tmp_path / "out" / "0001.exr").read_bytes() == alone


def test_another_size_in_mid_dream_is_refused_in_words(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    with pytest.raises(SceneError, match="changed while a frame dreamed"):
        for event in dream_frames(make_job(dreaming)):
            if event.stage == "transfer":
                dreaming.render.resolution_x = 99


def test_scene_deleted_in_mid_dream(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    bpy.data.scenes.new("Other")
    with pytest.raises(SceneError, match="is gone"):
        for event in dream_frames(make_job(dreaming)):
            if event.stage == "transfer" and dreaming:
                bpy.data.scenes.remove(dreaming)
                dreaming = None


@pytest.mark.parametrize("what", ["compositor", "node", "muted"])
def test_what_leaves_the_compositor_in_mid_dream_is_told(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path, what: str
) -> None:
    """A frame without its dream, written as if it were finished, would be found in the cinema."""
    steps = dream_frames(make_job(dreaming, patience=0))
    for event in steps:
        if event.stage == "transfer":
            break
    if what == "compositor":
        if compat.NEW_COMPOSITOR:
            dreaming.compositing_node_group = None
        else:
            dreaming.use_nodes = False
    elif what == "node":
        compat.compositor_tree(dreaming).nodes.remove(dream_node(dreaming))
    else:
        dream_node(dreaming).mute = True
    with pytest.raises(SceneError, match="taken out of the compositor"):
        for _ in steps:
            pass
    assert not list((tmp_path / "out").iterdir())
    assert list(tmp_path.glob("cache/dream/*/0001.exr")), "the dream itself is kept"


def test_two_processes_on_one_cache_leave_each_other_alone(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    theirs = tmp_path / "cache" / "tmp" / f"{os.getpid()}-raw"
    theirs.mkdir(parents=True)
    run(make_job(dreaming))
    assert theirs.is_dir()
