# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says of the motion that a node follows, and that films are followed, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def draw_stroke(scene: bpy.types.Scene) -> bpy.types.Object:
    """A stroke of grease pencil before the camera."""
    add = bpy.ops.object.grease_pencil_add if bpy.app.version >= (4, 3) else bpy.ops.object.gpencil_add
    add(type="STROKE", location=(0, -1.5, 0))
    return bpy.context.object


def hide_stroke(scene: bpy.types.Scene) -> None:
    draw_stroke(scene).hide_render = True


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda _: None, "the render's vectors"),
        (lambda scene: setattr(only_node(scene).group.deepdream, "coherence", 0), "none, each frame dreams on its own"),
        (lambda scene: setattr(only_node(scene).group.deepdream, "endless", True), "none, each frame feeds"),
        (lambda scene: setattr(scene.render, "use_motion_blur", True), "optical flow, motion blur"),
        (lambda scene: setattr(scene, "frame_step", 2), "optical flow, the frame step"),
        (lambda scene: setattr(scene.render, "engine", "BLENDER_WORKBENCH"), "optical flow, this render engine"),
        (draw_stroke, "optical flow, grease pencil"),
        (hide_stroke, "the render's vectors"),
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


def test_strokes_are_followed_by_guessing(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    draw_stroke(dreaming)
    run(make_job(dreaming, [1, 2]))
    assert follows_of_second_frame(tmp_path)["motion"] is None


def make_movie(scene: bpy.types.Scene, path: Path) -> Path:
    """The scene's render as it is without its compositor."""
    film = scene.copy()
    film.render.use_compositing = False
    if hasattr(film.render.image_settings, "media_type"):
        film.render.image_settings.media_type = "VIDEO"
    film.render.image_settings.file_format = "FFMPEG"
    film.render.ffmpeg.format = "MPEG4"
    film.render.use_file_extension = False
    film.render.filepath = str(path)
    bpy.ops.render.render(animation=True, scene=film.name)
    bpy.data.scenes.remove(film)
    return path


def follows_of_second_frame(folder: Path) -> dict[str, Any]:
    """By its record; what it follows is what the first frame saw."""
    (second,) = (folder / "cache" / "dream").glob("*/0002.json")
    (first,) = (folder / "cache" / "dream").glob("*/0001.json")
    dreams = [json.loads(record.read_text())["key"] for record in (first, second)]
    follows: dict[str, Any] = dreams[1]["follows"]
    assert follows["source"] == dreams[0]["source"] != dreams[1]["source"]
    return follows


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
    assert follows_of_second_frame(tmp_path)["motion"] is None


def test_a_movie_dreams_as_a_film(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    movie = make_movie(dreaming, tmp_path / "film.mp4")
    film = put_before(dreaming, "CompositorNodeImage")
    film.image = bpy.data.images.load(str(movie))
    assert film.image.source == "MOVIE"
    film.frame_duration = 2
    run(make_job(dreaming, [1, 2]))
    assert follows_of_second_frame(tmp_path)["motion"] is None


def test_a_movie_clip_dreams_as_a_film(dreaming: bpy.types.Scene, make_job: MakeJob, tmp_path: Path) -> None:
    film = put_before(dreaming, "CompositorNodeMovieClip")
    film.clip = bpy.data.movieclips.load(str(make_movie(dreaming, tmp_path / "film.mp4")))
    run(make_job(dreaming, [1, 2]))
    assert follows_of_second_frame(tmp_path)["motion"] is None
