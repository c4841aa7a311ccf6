# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a frame, through a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import compat, node
from blender_deepdream.addon.cache import Cache
from blender_deepdream.addon.request import Wishes
from blender_deepdream.protocol.errors import (
    SceneError,
)

from .conftest import MakeJob, dream_node, only_node, pixels, quicken, run
from .test_rendering import border, cropped, half_size, snapshot, transparent, two_layers


def out(tmp_path: Path, frame: int = 1) -> np.ndarray:
    return pixels(tmp_path / "out" / f"{frame:04d}.exr")


def undreamed(scene: bpy.types.Scene, tmp_path: Path) -> np.ndarray:
    """What Blender composites with all DeepDream nodes muted."""
    nodes = [item for item in compat.compositor_tree(scene).nodes if node.dream_group_of(item)]
    muted = [item.mute for item in nodes]
    path, file_format = scene.render.filepath, scene.render.image_settings.file_format
    for item in nodes:
        item.mute = True
    compat.set_float_exr(scene.render.image_settings, multilayer=False)
    scene.render.filepath = str(tmp_path / "undreamed.exr")
    bpy.ops.render.render(write_still=True)
    for item, was in zip(nodes, muted, strict=True):
        item.mute = was
    compat.set_format(scene.render.image_settings, file_format)
    scene.render.filepath = path
    return pixels(tmp_path / "undreamed.exr")


def records(tmp_path: Path, frame: int = 1) -> dict[str, dict[str, object]]:
    """By the readable part of a node's folder: what its dream was made from."""
    found = {}
    for path in (tmp_path / "cache" / "dream").glob(f"*/{frame:04d}.json"):
        found[path.parent.name.rpartition("-")[0]] = json.loads(path.read_text())["key"]
    return found


def test_dream_reaches_the_output(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    stages = run(make_job(dreaming, [1, 2]))
    assert stages.count("finished") == 2
    difference = np.abs(out(tmp_path) - undreamed(dreaming, tmp_path))
    assert difference[..., :3].mean() > 0.005
    (dream,) = (tmp_path / "cache" / "dream").glob("*/0001.exr")
    np.testing.assert_array_equal(out(tmp_path), pixels(dream))


def moved(scene: bpy.types.Scene, kind: str) -> None:
    tree = compat.compositor_tree(scene)
    image = dream_node(scene).inputs["Image"]
    mover, invert = tree.nodes.new(kind), tree.nodes.new("CompositorNodeInvert")
    for socket in mover.inputs:
        if socket.name in ("X", "Y"):
            socket.default_value = 9
        if socket.name == "Scale" and socket.type == "VALUE":
            socket.default_value = 0.6
    tree.links.new(image.links[0].from_socket, next(socket for socket in mover.inputs if socket.type == "RGBA"))
    tree.links.new(mover.outputs[0], invert.inputs["Color"])
    tree.links.new(invert.outputs[0], image)


def translated(scene: bpy.types.Scene) -> None:
    moved(scene, "CompositorNodeTranslate")


def transformed(scene: bpy.types.Scene) -> None:
    moved(scene, "CompositorNodeTransform")


VARIANTS = [half_size, border, cropped, transparent, two_layers, translated, transformed]


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_dreamed_comes_back_bit_for_bit(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path, variant: Callable[[bpy.types.Scene], None]
) -> None:
    """Strength 0 through the whole way: highlights, alpha, borders and all layers are as Blender renders them."""
    variant(dreaming)
    only_node(dreaming).group.deepdream.strength = 0
    run(make_job(dreaming))
    if variant is not two_layers:  # the second layer shows normals
        assert np.abs(out(tmp_path)[..., :3]).max() > 1
    np.testing.assert_array_equal(out(tmp_path), undreamed(dreaming, tmp_path))


def test_image_passes_through_until_there_is_a_dream(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job(dreaming, [2]))
    dreaming.render.filepath = str(tmp_path / "plain.exr")
    compat.set_float_exr(dreaming.render.image_settings, multilayer=False)
    dreaming.frame_set(1)  # frame 1 has no dream yet
    bpy.ops.render.render(write_still=True)
    np.testing.assert_array_equal(pixels(tmp_path / "plain.exr"), undreamed(dreaming, tmp_path))
    dreaming.frame_set(2)
    bpy.ops.render.render(write_still=True)
    np.testing.assert_array_equal(pixels(tmp_path / "plain.exr"), out(tmp_path, 2))


def test_second_run_redoes_only_what_changed(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    first = make_job(dreaming, [1, 2])
    run(first)
    assert {"render", "dream", "capture", "composite"} <= set(first.seconds)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}

    again = make_job(dreaming, [1, 2], reuse_captures=True)
    run(again)
    assert not {"render", "dream", "capture", "composite"} & set(again.seconds)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before

    only_node(dreaming).group.deepdream.seed = 5
    changed = make_job(dreaming, [1, 2], reuse_captures=True)
    run(changed)
    assert "dream" in changed.seconds
    assert "render" not in changed.seconds


def test_another_resolution_renders_again(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(dreaming))
    dreaming.render.resolution_x = 50
    run(make_job(dreaming))
    assert out(tmp_path).shape == (48, 50, 4)


def test_rerender_renders_again(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    run(make_job(dreaming))
    job = make_job(dreaming, rerender=True)
    run(job)
    assert "render" in job.seconds


def test_mask_keeps_what_it_leaves_out(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    tree = compat.compositor_tree(dreaming)
    item = dream_node(dreaming)
    box = tree.nodes.new("CompositorNodeBoxMask")
    tree.links.new(box.outputs[0], item.inputs["Mask"])
    run(make_job(dreaming))
    dreamed, plain = out(tmp_path), undreamed(dreaming, tmp_path)
    np.testing.assert_array_equal(dreamed[:4], plain[:4])
    assert np.abs(dreamed - plain)[20:28, 24:40, :3].mean() > 0.005


@pytest.mark.parametrize("linked", [True, False])
def test_mask_of_one_value(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path, linked: bool) -> None:
    tree = compat.compositor_tree(dreaming)
    mask = dream_node(dreaming).inputs["Mask"]
    if linked:
        value = tree.nodes.new("ShaderNodeValue" if compat.NEW_COMPOSITOR else "CompositorNodeValue")
        value.outputs[0].default_value = 0
        tree.links.new(value.outputs[0], mask)
    else:
        mask.default_value = 0
    run(make_job(dreaming))
    np.testing.assert_array_equal(out(tmp_path), undreamed(dreaming, tmp_path))


def chain(scene: bpy.types.Scene) -> None:
    """A second DeepDream node before the first, with a node of the artist's between them."""
    tree = compat.compositor_tree(scene)
    last = dream_node(scene)
    first, invert = node.add_node(tree), tree.nodes.new("CompositorNodeInvert")
    first.label, last.label = "First", "Last"
    quicken(first.node_tree)
    tree.links.new(last.inputs["Image"].links[0].from_socket, first.inputs["Image"])
    tree.links.new(first.outputs[0], invert.inputs["Color"])
    tree.links.new(invert.outputs[0], last.inputs["Image"])


def test_chained_nodes_dream_in_order(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    chain(dreaming)
    run(make_job(dreaming))
    before = records(tmp_path)
    first, _last = node.find_nodes(dreaming)
    assert first.name == "First"

    first.group.deepdream.seed = 3
    run(make_job(dreaming))
    after = records(tmp_path)
    assert after["First"]["source"] == before["First"]["source"]
    assert after["First"]["job"] != before["First"]["job"]
    assert after["Last"]["source"] != before["Last"]["source"], "the second node must see the first one's new dream"


def test_one_node_of_several(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    chain(dreaming)
    run(make_job(dreaming, only="First"))
    assert set(records(tmp_path)) == {"First"}
    with pytest.raises(SceneError, match="'First', 'Last'"):
        run(make_job(dreaming, only="Nobody"))


def test_scene_is_left_as_it_was(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    dreaming.frame_set(2)
    run(make_job(dreaming, [1]))  # the node shows a dream from now on: that is its result
    before = snapshot(dreaming)
    handlers = [
        list(getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers) if name.endswith(("_pre", "_post"))
    ]
    only_node(dreaming).group.deepdream.seed = 9
    inside = [item.name for item in only_node(dreaming).group.nodes]
    run(make_job(dreaming, [1, 3]))
    assert snapshot(dreaming) == before
    assert inside == [item.name for item in only_node(dreaming).group.nodes]
    assert handlers == [
        list(getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers) if name.endswith(("_pre", "_post"))
    ]
    assert not list((tmp_path / "cache" / "tmp").glob("*"))


def test_settings_given_for_a_run_stand_above_the_nodes(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job(dreaming, wishes=Wishes({"strength": 0.0})))
    np.testing.assert_array_equal(out(tmp_path), undreamed(dreaming, tmp_path))
    assert only_node(dreaming).group.deepdream.strength == 1


def test_settings_and_mask_are_those_of_each_frame(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    mask = dream_node(dreaming).inputs["Mask"]
    for frame, value in ((1, 1.0), (2, 1.0), (3, 0.0)):
        mask.default_value = value
        mask.keyframe_insert("default_value", frame=frame)
    settings = only_node(dreaming).group.deepdream
    for frame, strength in ((1, 0.0), (2, 1.0)):
        settings.strength = strength
        settings.keyframe_insert("strength", frame=frame)
    run(make_job(dreaming, [1, 2, 3]))
    for frame, dreams in ((1, False), (2, True), (3, False)):
        dreaming.frame_set(frame)
        difference = np.abs(out(tmp_path, frame) - undreamed(dreaming, tmp_path))
        assert (difference.max() > 0) == dreams, f"frame {frame}"


def test_resumed_chain_ends_with_the_same_frame(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    """Stopped after the first of two nodes: the second must see the first one's kept dream."""
    chain(dreaming)
    run(make_job(dreaming, reuse_captures=True))
    whole = (tmp_path / "out" / "0001.exr").read_bytes()
    (last,) = (tmp_path / "cache" / "dream").glob("Last-*")
    for path in [*last.glob("0001.*"), tmp_path / "out" / "0001.exr"]:
        path.unlink()
    for dream in node.find_nodes(dreaming):
        node.forget_results(dream.group, keep_id=True)
    run(make_job(dreaming, reuse_captures=True))
    assert (tmp_path / "out" / "0001.exr").read_bytes() == whole


def test_frames_of_five_digits_before_four(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(dreaming, [10000, 9999]))
    for frame in (9999, 10000):
        (dream,) = (tmp_path / "cache" / "dream").glob(f"*/{frame}.exr")
        np.testing.assert_array_equal(out(tmp_path, frame), pixels(dream))


def test_braces_in_folders_are_no_template(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    folder = tmp_path / "a {brace} b"
    run(make_job(dreaming, cache=Cache(folder), output=lambda frame: folder / f"{frame}.exr"))
    assert (folder / "1.exr").is_file()


def test_dreams_inside_the_project_are_found_where_it_moves(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    run(make_job(bpy.context.scene))
    (image,) = [image for image in bpy.data.images if image.name.startswith("Dream of")]
    assert image.filepath.startswith("//cache/dream/")


def test_saving_keeps_what_was_rendered(dreaming: bpy.types.Scene, tmp_path: Path, make_job: MakeJob) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene = bpy.context.scene
    scene.deepdream.cache = "//cache"
    bpy.ops.wm.save_mainfile()
    run(make_job(scene))
    only_node(scene).group.deepdream.seed = 4
    bpy.ops.wm.save_mainfile()
    job = make_job(scene)
    run(job)
    assert "render" not in job.seconds
    assert "dream" in job.seconds

    bpy.data.objects["Sun"].location.x += 1
    bpy.context.view_layer.update()
    bpy.ops.wm.save_mainfile()
    job = make_job(scene)
    run(job)
    assert "render" in job.seconds


def test_guide_from_a_file_and_from_pixels(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    settings = only_node(dreaming).group.deepdream
    run(make_job(dreaming))
    plain = out(tmp_path)
    settings.objective = "guide-dot"
    with pytest.raises(SceneError, match="none is chosen"):
        run(make_job(dreaming))

    generated = bpy.data.images.new("Stripes", 64, 64)
    stripes = np.zeros((64, 64, 4), np.float32)
    stripes[::8], stripes[..., 3] = 1, 1
    generated.pixels.foreach_set(stripes.ravel())
    settings.guide = generated
    run(make_job(dreaming))
    guided = out(tmp_path)
    assert np.abs(guided - plain).max() > 0.01

    generated.filepath_raw, generated.file_format = str(tmp_path / "stripes.png"), "PNG"
    generated.save()
    settings.guide = bpy.data.images.load(str(tmp_path / "stripes.png"))
    run(make_job(dreaming))
    np.testing.assert_allclose(out(tmp_path), guided, atol=1e-4)

    settings.guide = None
    run(make_job(dreaming, wishes=Wishes(guide=tmp_path / "stripes.png")))
    np.testing.assert_allclose(out(tmp_path), guided, atol=1e-4)
