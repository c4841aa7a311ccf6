# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions of a node: the list, its inputs, and what they come to."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import compat, node, regions
from blender_deepdream.addon.request import Wishes
from blender_deepdream.addon.run import Job
from blender_deepdream.protocol.errors import SceneError
from blender_deepdream.protocol.messages import Region

from .conftest import MakeJob, dream_node, only_node, pixels, run

STRIDE = 16
"""Of the layers used: a pixel this far from a region is none of it."""


@pytest.fixture
def calm(dreaming: bpy.types.Scene) -> bpy.types.Scene:
    """The whole image dreams of something that its regions do not."""
    settings = only_node(dreaming).group.deepdream
    settings.layers, settings.jitter = "_blocks.1", 0
    return dreaming


def left_half() -> bpy.types.Image:
    mask = bpy.data.images.new("Left", 16, 16)
    table = np.zeros((16, 16, 4), np.float32)
    table[:, :8], table[..., 3] = 1, 1
    mask.pixels.foreach_set(table.ravel())
    return mask


def dreamed(job: Job) -> np.ndarray:
    run(job)
    return pixels(job.output(1))


def changed(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """How much the left and the right third differ."""
    difference = np.abs(after - before)[..., :3]
    third = difference.shape[1] // 3
    return float(difference[:, :third].mean()), float(difference[:, -third:].mean())


def test_a_region_dreams_of_its_own_layers(calm: bpy.types.Scene, make_job: MakeJob) -> None:
    plain = dreamed(make_job(calm))
    entry = regions.add_region(only_node(calm).group)
    entry.mask, entry.layers = left_half(), "_blocks.2"
    left, right = changed(plain, dreamed(make_job(calm)))
    assert left > 10 * right
    assert left > 0.005


def test_a_linked_mask_stands_above_the_image(calm: bpy.types.Scene, make_job: MakeJob) -> None:
    plain = dreamed(make_job(calm))
    entry = regions.add_region(only_node(calm).group)
    entry.mask, entry.layers = left_half(), "_blocks.2"
    tree = compat.compositor_tree(calm)
    value = tree.nodes.new("ShaderNodeValue" if compat.NEW_COMPOSITOR else "CompositorNodeValue")
    value.outputs[0].default_value = 0
    tree.links.new(value.outputs[0], dream_node(calm).inputs["Region 1"])
    np.testing.assert_allclose(dreamed(make_job(calm)), plain, atol=1e-5)
    box = tree.nodes.new("CompositorNodeBoxMask")
    tree.links.new(box.outputs[0], dream_node(calm).inputs["Region 1"])
    middle = np.abs(dreamed(make_job(calm)) - plain)[20:28, 26:38, :3].mean()
    assert middle > 0.005


def test_an_objective_and_a_guide_of_its_own(calm: bpy.types.Scene, make_job: MakeJob) -> None:
    entry = regions.add_region(only_node(calm).group)
    entry.mask, entry.objective = left_half(), "guide-dot"
    with pytest.raises(SceneError, match="needs a guide"):
        run(make_job(calm))
    entry.guide = bpy.data.images.new("Guide", 64, 64)
    entry.guide.generated_type = "COLOR_GRID"
    own = dreamed(make_job(calm))
    only_node(calm).group.deepdream.guide, entry.guide = entry.guide, None
    np.testing.assert_allclose(dreamed(make_job(calm)), own, atol=1e-5, err_msg="the node's guide is lent")


def test_a_region_without_a_mask_is_said(calm: bpy.types.Scene, make_job: MakeJob) -> None:
    regions.add_region(only_node(calm).group)
    with pytest.raises(SceneError, match="Region 1 needs a mask"):
        run(make_job(calm))


def test_regions_of_a_run_stand_above_the_nodes(calm: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    entry = regions.add_region(only_node(calm).group)
    entry.mask, entry.layers = left_half(), "_blocks.2"
    own = dreamed(make_job(calm))
    mask = left_half()
    mask.filepath_raw, mask.file_format = str(tmp_path / "left.png"), "PNG"
    mask.save()
    entry.layers = ""
    typed = Region(str(tmp_path / "left.png"), (("_blocks.2", 1.0),))
    np.testing.assert_allclose(dreamed(make_job(calm, wishes=Wishes(regions=(typed,)))), own, atol=1e-5)


def test_regions_come_and_go_without_a_trace(calm: bpy.types.Scene, make_job: MakeJob) -> None:
    """The nodes that read the inputs of regions give the image bit for bit."""
    settings = only_node(calm).group.deepdream
    plain = dreamed(make_job(calm))
    settings.strength = 0
    source = dreamed(make_job(calm))
    assert not np.array_equal(source, plain)
    for _ in range(2):
        regions.add_region(only_node(calm).group).mask = left_half()
    np.testing.assert_array_equal(dreamed(make_job(calm)), source)
    for index in (1, 0):
        regions.remove_region(only_node(calm).group, index)
    settings.strength = 1
    np.testing.assert_array_equal(dreamed(make_job(calm)), plain)


def test_inputs_follow_the_list(calm: bpy.types.Scene) -> None:
    group = only_node(calm).group
    inside = len(group.nodes)
    for _ in range(3):
        regions.add_region(group)
    group.deepdream.regions[2].layers = "third"
    assert [socket.name for socket in dream_node(calm).inputs] == ["Image", "Mask", "Region 1", "Region 2", "Region 3"]
    third = dream_node(calm).inputs["Region 3"].identifier
    regions.remove_region(group, 1)
    assert [socket.name for socket in dream_node(calm).inputs] == ["Image", "Mask", "Region 1", "Region 2"]
    assert dream_node(calm).inputs["Region 2"].identifier == third == group.deepdream.regions[1].socket
    assert group.deepdream.regions[1].layers == "third"
    regions.remove_region(group, 0)
    regions.remove_region(group, 0)
    assert len(group.nodes) == inside


def test_a_copied_node_has_regions_of_its_own(calm: bpy.types.Scene) -> None:
    was = dream_node(calm)
    regions.add_region(was.node_tree).layers = "_blocks.2"
    copy = compat.compositor_tree(calm).nodes.new("CompositorNodeGroup")
    copy.node_tree = was.node_tree
    node.separate_copies()
    assert copy.node_tree != was.node_tree
    copy.node_tree.deepdream.regions[0].layers = "_blocks.9"
    assert was.node_tree.deepdream.regions[0].layers == "_blocks.2"
    assert copy.inputs["Region 1"].identifier == copy.node_tree.deepdream.regions[0].socket
