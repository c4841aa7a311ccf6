# SPDX-License-Identifier: GPL-3.0-or-later
"""Views before their real background: the scene's other objects, its world, and what stands in the way."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon.surface.choices import WHOLE
from blender_deepdream.addon.surface.identity import stage_hash
from blender_deepdream.addon.surface.shots import Cameras, Moment, moments
from blender_deepdream.addon.surface.stage import staged
from blender_deepdream.addon.surface.surroundings import other_objects
from blender_deepdream.addon.surface.targets import make_plan

from .test_job import dream, everything, pixels, suzanne, texture

__all__ = ["suzanne"]

RED, BLUE = (0.8, 0.0, 0.0), (0.0, 0.0, 0.8)


def glowing(name: str, color: tuple[float, float, float], place: tuple[float, float, float]) -> bpy.types.Object:
    """A board of 4 by 4 units that faces the camera at -y."""
    bpy.ops.mesh.primitive_plane_add(size=4, location=place, rotation=(np.pi / 2, 0, 0))
    board = bpy.context.object
    board.name = name
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    tree = material.node_tree
    glow = tree.nodes.new("ShaderNodeEmission")
    glow.inputs["Color"].default_value = (*color, 1)
    tree.links.new(glow.outputs[0], tree.get_output_node("CYCLES").inputs["Surface"])
    board.data.materials.append(material)
    return board


@pytest.fixture
def room(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Object:
    """The mesh before a red board, its left half behind a blue one, as the scene's camera sees it from -y."""
    for item in list(scene.objects):
        if item.type == "MESH" and item != suzanne:
            bpy.data.objects.remove(item)
    glowing("Red", RED, (0, 3, 0))
    glowing("Blue", BLUE, (-2, -2, 0))
    camera = scene.camera
    camera.parent = None
    camera.location, camera.rotation_euler = (0, -8, 0), (np.pi / 2, 0, 0)
    camera.data.lens = 70
    bpy.context.view_layer.update()
    for item in scene.objects:
        item.select_set(item == suzanne)
    scene.deepdream.surface.light = WHOLE
    return suzanne


def picture(folder: Path, kind: str) -> np.ndarray:
    (path,) = folder.rglob(f"camera*-{kind}.exr")
    return pixels(bpy.data.images.load(str(path)))


def test_views_show_the_scene_and_know_what_hides_the_objects(
    room: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path
) -> None:
    settings = scene.deepdream.surface
    settings.spread, settings.side, settings.views = "CAMERA", 64, 4
    scene.frame_start = scene.frame_end = scene.frame_current
    before, collections = dict(everything()), len(bpy.data.collections)
    dream()
    assert dict(everything()) == before | {"images": before["images"] + 1}
    assert len(bpy.data.collections) == collections
    assert room.visible_camera
    behind, dark, light = (picture(tmp_path / "cache", kind) for kind in ("behind", "dark", "light"))
    assert behind[32, 8, :3] == pytest.approx(BLUE, abs=0.02)
    assert behind[32, 40, :3] == pytest.approx(RED, abs=0.02), "the object itself is not seen"
    assert dark[32, 8, 3] == 0
    seen = light[..., 3] > 0.5
    assert seen[:, 33:].mean() > 0.1
    assert not seen[:, :28].any(), "what is behind the blue board is hidden"
    changed = np.abs(pixels(texture(room.active_material))[..., :3] - 0.63).max(2) > 0.02
    assert changed.any()


def test_the_whole_scene_is_dreamed_in_from_all_sides_too(room: bpy.types.Object, tmp_path: Path) -> None:
    dream()
    assert len(list((tmp_path / "cache/surface").rglob("*-behind.exr"))) == 5
    assert pixels(texture(room.active_material))[..., :3].std() > 0.005


def test_what_is_framed_are_the_objects_alone(room: bpy.types.Object, scene: bpy.types.Scene) -> None:
    plan = make_plan([room], "AUTO")
    (now,) = moments(scene, plan, Cameras())
    with staged(scene, plan, WHOLE, {}) as stage:
        stage.at(now)
        assert np.abs(stage.points).max() < 1.5


def test_views_depend_on_what_stands_around(room: bpy.types.Object, scene: bpy.types.Scene) -> None:
    plan = make_plan([room], "AUTO")
    (now,) = moments(scene, plan, Cameras())

    def name(light: str = WHOLE) -> str:
        with staged(scene, plan, light, {}) as stage:
            return stage_hash(stage, [Moment(now.frame, now.places, None)])

    board = bpy.data.objects["Red"]
    first = [name(), name("STUDIO")]
    assert [name(), name("STUDIO")] == first
    board.location.x += 0.1
    bpy.context.view_layer.update()
    moved = name()
    glow = next(node for node in board.active_material.node_tree.nodes if node.bl_idname == "ShaderNodeEmission")
    glow.inputs["Color"].default_value = (0, 1, 0, 1)
    assert moved != first[0]
    assert name() != moved
    assert name("STUDIO") == first[1]


def test_what_is_animated_stands_where_it_stood_afterwards(room: bpy.types.Object, scene: bpy.types.Scene) -> None:
    board = bpy.data.objects["Red"]
    scene.frame_start, scene.frame_end = 1, 10
    for when, place in ((10, 5.0), (1, 0.0)):
        board.location.x = place
        board.keyframe_insert("location", frame=when)
    scene.frame_set(1)
    plan = make_plan([room], "AUTO")
    frames = moments(scene, plan, Cameras(moments=2))
    with staged(scene, plan, WHOLE, {}) as stage:
        stage.at(frames[-1])
    assert scene.frame_current == 1
    assert board.location.x == pytest.approx(0)
    bpy.context.view_layer.update()
    assert board.matrix_world.translation.x == pytest.approx(0)


def test_only_what_the_scene_renders_stands_around(room: bpy.types.Object, scene: bpy.types.Scene) -> None:
    plan = make_plan([room], "AUTO")

    def names() -> set[str]:
        return {item.name for item in other_objects(scene, plan) if item.type != "LIGHT"}

    assert names() == {"Red", "Blue"}
    bpy.data.objects["Red"].hide_render = True
    group, away = bpy.data.collections.new("Group"), bpy.data.collections.new("Away")
    group.objects.link(room)
    for inner in (group, away):
        empty = bpy.data.objects.new(f"Shows {inner.name}", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", inner
        scene.collection.objects.link(empty)
    scene.collection.children.link(away)
    away.objects.link(bpy.data.objects.new("Gone", None))
    assert names() == {"Blue", "Shows Away", "Gone"}
    away.hide_render = True
    assert names() == {"Blue", "Shows Away"}
