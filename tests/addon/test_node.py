# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

import blender_deepdream
from blender_deepdream.addon import compat, node
from blender_deepdream.protocol.errors import SceneError

from .conftest import MakeJob, dream_path, only_node, pixels, run


def add_in_front(scene: bpy.types.Scene) -> bpy.types.Node:
    return node.insert_before_output(scene)


def test_node_sits_between_render_and_output(scene: bpy.types.Scene) -> None:
    added = add_in_front(scene)
    assert [socket.name for socket in added.inputs] == ["Image", "Mask"]
    assert [socket.name for socket in added.outputs] == ["Image"]
    assert compat.output_socket(compat.compositor_tree(scene)).links[0].from_node == added
    assert added.inputs["Image"].links[0].from_node.bl_idname == "CompositorNodeRLayers"


def test_settings_are_saved_with_the_file(scene: bpy.types.Scene, tmp_path: Path) -> None:
    add_in_front(scene).node_tree.deepdream.seed = 77
    was = only_node(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    found = only_node(bpy.context.scene)
    assert found.id == was.id
    assert found.group.deepdream.seed == 77


def test_a_blender_without_the_add_on_shows_the_dream(
    dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job(dreaming))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "passed on.blend"))
    blender_deepdream.unregister()
    try:
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "passed on.blend"))
        render = bpy.context.scene.render
        compat.set_float_exr(render.image_settings, multilayer=False)
        render.filepath = str(tmp_path / "shown.exr")
        bpy.ops.render.render(write_still=True)
    finally:
        blender_deepdream.register()
    shown, dreamed = pixels(tmp_path / "shown.exr"), pixels(dream_path(tmp_path, 1))
    assert np.array_equal(shown[..., :3], dreamed[..., :3])


def test_settings_outlive_a_blender_without_the_add_on(scene: bpy.types.Scene, tmp_path: Path) -> None:
    """Opened, saved and opened there, they are still what they were."""
    settings = node.insert_before_output(scene).node_tree.deepdream
    settings.seed, settings.layers, scene.deepdream.image.steps = 77, "_blocks.4=2", 3
    name = settings.id
    blender_deepdream.unregister()
    try:
        for _ in range(2):
            bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "passed on.blend"))
            bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "passed on.blend"))
    finally:
        blender_deepdream.register()
    scene = bpy.context.scene
    settings = only_node(scene).group.deepdream
    assert (settings.seed, settings.layers, settings.id) == (77, "_blocks.4=2", name)
    assert scene.deepdream.image.steps == 3


def test_settings_follow_their_keyframes(scene: bpy.types.Scene) -> None:
    settings = add_in_front(scene).node_tree.deepdream
    for frame, strength in ((1, 0.0), (11, 1.0)):
        settings.strength = strength
        settings.keyframe_insert("strength", frame=frame)
    scene.frame_set(6)
    assert only_node(scene).group.deepdream.to_settings().strength == pytest.approx(0.5)


def test_copied_node_gets_settings_and_results_of_its_own(scene: bpy.types.Scene) -> None:
    first = add_in_front(scene)
    first.node_tree.deepdream.keyframe_insert("seed", frame=1)
    copy = compat.compositor_tree(scene).nodes.new("CompositorNodeGroup")
    copy.node_tree = first.node_tree  # what Shift-D makes
    was = first.node_tree.deepdream.id

    node.separate_copies()

    assert first.node_tree.deepdream.id == was
    assert copy.node_tree != first.node_tree
    assert copy.node_tree.deepdream.id not in ("", was)
    copy.node_tree.deepdream.steps = 99
    assert first.node_tree.deepdream.steps != 99
    assert copy.node_tree.animation_data.action != first.node_tree.animation_data.action


def test_appended_node_gets_results_of_its_own(scene: bpy.types.Scene, tmp_path: Path) -> None:
    was = add_in_front(scene).node_tree.deepdream.id
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"), copy=True)
    with bpy.data.libraries.load(str(tmp_path / "saved.blend")) as (there, here):
        here.node_groups = [name for name in there.node_groups if "DeepDream" in name]
    (appended,) = here.node_groups
    node.separate_copies()
    assert appended.deepdream.id not in ("", was)
    assert only_node(scene).id == was


def test_copied_scene_gets_results_of_its_own(scene: bpy.types.Scene) -> None:
    was = add_in_front(scene).node_tree.deepdream.id
    copy = scene.copy()
    if compat.NEW_COMPOSITOR:
        copy.compositing_node_group = scene.compositing_node_group.copy()
    node.separate_copies()
    assert only_node(scene).id == was
    assert only_node(copy).id != was


def test_nodes_come_in_order_of_dependency(scene: bpy.types.Scene) -> None:
    last = add_in_front(scene)
    tree = compat.compositor_tree(scene)
    source = last.inputs["Image"].links[0].from_socket
    first = node.add_node(tree)
    first.label = "First"
    invert = tree.nodes.new("CompositorNodeInvert")
    tree.links.new(source, first.inputs["Image"])
    tree.links.new(first.outputs[0], invert.inputs["Color"])
    tree.links.new(invert.outputs[0], last.inputs["Image"])
    assert [(dream.name, dream.level) for dream in node.find_nodes(scene)] == [("First", 0), ("DeepDream", 1)]


def test_nodes_inside_groups_are_found_in_order(scene: bpy.types.Scene) -> None:
    last = add_in_front(scene)
    tree = compat.compositor_tree(scene)
    inner = bpy.data.node_groups.new("Looks", "CompositorNodeTree")
    inner.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    inner.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    entry, leave = inner.nodes.new("NodeGroupInput"), inner.nodes.new("NodeGroupOutput")
    hidden = node.add_node(inner)
    hidden.label = "Hidden"
    inner.links.new(entry.outputs[0], hidden.inputs["Image"])
    inner.links.new(hidden.outputs[0], leave.inputs[0])
    holder = tree.nodes.new("CompositorNodeGroup")
    holder.node_tree = inner
    tree.links.new(last.inputs["Image"].links[0].from_socket, holder.inputs[0])
    tree.links.new(holder.outputs[0], last.inputs["Image"])
    assert [(dream.name, dream.level) for dream in node.find_nodes(scene)] == [("Hidden", 0), ("DeepDream", 1)]

    again = tree.nodes.new("CompositorNodeGroup")
    again.node_tree = inner
    with pytest.raises(SceneError, match="used twice"):
        node.find_nodes(scene)


def test_muted_node_does_not_dream(scene: bpy.types.Scene) -> None:
    add_in_front(scene).mute = True
    assert node.find_nodes(scene) == []


def test_folder_name_is_readable_and_keeps_its_id(scene: bpy.types.Scene) -> None:
    add_in_front(scene).label = "Sky / träumt!"
    found = only_node(scene)
    assert found.folder_name == f"Sky-tr-umt-{found.id[:8]}"


def test_nothing_to_insert_before(scene: bpy.types.Scene) -> None:
    tree = compat.make_compositor_tree(scene)
    tree.links.remove(compat.output_socket(tree).links[0])
    with pytest.raises(SceneError, match="Nothing is linked"):
        node.insert_before_output(scene)
