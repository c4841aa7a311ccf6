# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says of the motion that a node follows, and that films are followed, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import compat, node
from blender_deepdream.addon.motion_words import motion_words
from blender_deepdream.addon.run import Job

from .conftest import only_node, run

MakeJob = Callable[..., Job]


def words(scene: bpy.types.Scene) -> str:
    return motion_words(scene, only_node(scene).group)


def put_before(scene: bpy.types.Scene, kind: str) -> bpy.types.Node:
    """Link a node's image to the DeepDream node in the place of the render."""
    tree = compat.compositor_tree(scene)
    image = next(item for item in tree.nodes if node.dream_group_of(item)).inputs["Image"]
    added = tree.nodes.new(kind)
    if added.inputs:
        tree.links.new(image.links[0].from_socket, added.inputs[0])
    tree.links.new(added.outputs[0], image)
    return added


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda _: None, "the render's vectors"),
        (lambda scene: setattr(only_node(scene).group.deepdream, "coherence", 0), "none, each frame dreams on its own"),
        (lambda scene: setattr(only_node(scene).group.deepdream, "endless", True), "none, each frame feeds"),
        (lambda scene: setattr(scene.render, "use_motion_blur", True), "optical flow, motion blur"),
        (lambda scene: setattr(scene, "frame_step", 2), "optical flow, the frame step"),
        (lambda scene: setattr(scene.render, "engine", "BLENDER_WORKBENCH"), "optical flow, this render engine"),
        (lambda scene: put_before(scene, "CompositorNodeFlip"), "optical flow, a node on the way"),
        (lambda scene: put_before(scene, "CompositorNodeImage"), "optical flow, images and movies"),
        (lambda scene: put_before(scene, "CompositorNodeMovieClip"), "optical flow, images and movies"),
    ],
)
def test_the_panel_says_what_is_followed(
    dreaming: bpy.types.Scene, prepare: Callable[[bpy.types.Scene], object], says: str
) -> None:
    prepare(dreaming)
    assert words(dreaming).startswith(f"Motion: {says}")


def test_an_image_sequence_dreams_as_a_film(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    coarse = np.kron(numbers.random((12, 18)), np.ones((6, 6))).astype(np.float32)
    for frame in (1, 2):
        picture = bpy.data.images.new("frame", 64, 48)
        shifted = coarse[:48, 2 * frame : 64 + 2 * frame]
        picture.pixels.foreach_set(np.dstack([shifted, shifted, shifted, np.ones_like(shifted)]).ravel())
        picture.filepath_raw, picture.file_format = str(tmp_path / f"film{frame:04d}.png"), "PNG"
        picture.save()
    film = put_before(dreaming, "CompositorNodeImage")
    film.image = bpy.data.images.load(str(tmp_path / "film0001.png"))
    film.image.source = "SEQUENCE"
    film.frame_duration = 2
    run(make_job(dreaming, [1, 2]))
    (second,) = (tmp_path / "cache" / "dream").glob("*/0002.json")
    (first,) = (tmp_path / "cache" / "dream").glob("*/0001.json")
    follows = json.loads(second.read_text())["key"]["follows"]
    assert follows["motion"] is None
    assert follows["source"] == json.loads(first.read_text())["key"]["source"]
