# SPDX-License-Identifier: GPL-3.0-or-later
"""What artists have: all kinds of materials, maps, objects and cameras. Each dreams, or is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon.surface.color_input import dream_factor
from blender_deepdream.addon.surface.targets import OWN_LAYER

from .test_job import dream, pixels, suzanne, texture

__all__ = ["suzanne"]

Shader = Callable[[bpy.types.NodeTree], bpy.types.NodeSocket]


def colored(kind: str) -> Shader:
    def make(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
        node = tree.nodes.new(kind)
        node.inputs["Color"].default_value = (0.3, 0.4, 0.2, 1)
        return node.outputs[0]

    return make


def mixed(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    mix = tree.nodes.new("ShaderNodeMixShader")
    for number, kind in enumerate(("ShaderNodeBsdfDiffuse", "ShaderNodeBsdfGlossy"), 1):
        tree.links.new(colored(kind)(tree), mix.inputs[number])
    return mix.outputs[0]


def grouped(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    inner = bpy.data.node_groups.new("Paint", "ShaderNodeTree")
    inner.interface.new_socket("Color", in_out="INPUT", socket_type="NodeSocketColor")
    inner.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    shader = inner.nodes.new("ShaderNodeBsdfDiffuse")
    inner.links.new(inner.nodes.new("NodeGroupInput").outputs[0], shader.inputs["Color"])
    inner.links.new(shader.outputs[0], inner.nodes.new("NodeGroupOutput").inputs[0])
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = inner
    node.inputs[0].default_value = (0.3, 0.4, 0.2, 1)
    return node.outputs[0]


def bumped(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    shader, bump = tree.nodes["Principled BSDF"], tree.nodes.new("ShaderNodeNormalMap")
    bump.inputs["Color"].default_value = (0.7, 0.3, 1, 1)
    tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return shader.outputs[0]


@pytest.mark.parametrize(
    "shader",
    [colored("ShaderNodeEmission"), colored("ShaderNodeBsdfToon"), mixed, grouped, bumped],
    ids=["emission", "toon", "mix", "group", "normal-map"],
)
def test_shaders(suzanne: bpy.types.Object, shader: Shader) -> None:
    tree = suzanne.active_material.node_tree
    tree.links.new(shader(tree), tree.get_output_node("CYCLES").inputs["Surface"])
    dream()
    assert pixels(texture(suzanne.active_material))[..., :3].std() > 0.005


def mirrored(places: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.abs(places - 0.5)


def tiled(places: np.ndarray, faces: np.ndarray) -> np.ndarray:
    return places * 0.9 + np.stack([faces % 2, 0 * faces], 1)


def without_area(places: np.ndarray, _: np.ndarray) -> np.ndarray:
    return places * 0


@pytest.mark.parametrize("map_", [mirrored, tiled, without_area])
def test_maps_that_cannot_hold_a_texture_of_their_own(
    suzanne: bpy.types.Object, map_: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    mesh, layer = suzanne.data, suzanne.data.uv_layers[0]
    places = np.empty(2 * len(mesh.loops), np.float32)
    layer.uv.foreach_get("vector", places)
    faces = np.repeat(np.arange(len(mesh.polygons)), [len(face.loop_indices) for face in mesh.polygons])
    layer.uv.foreach_set("vector", map_(places.reshape(-1, 2), faces).astype(np.float32).ravel())
    dream()
    assert OWN_LAYER in mesh.uv_layers


def test_several_materials_have_a_texture_each(suzanne: bpy.types.Object) -> None:
    other = suzanne.active_material.copy()
    suzanne.data.materials.append(other)
    suzanne.data.polygons.foreach_set("material_index", np.arange(len(suzanne.data.polygons)) % 2)
    dream()
    one, two = (texture(material) for material in suzanne.data.materials)
    assert one != two


def test_what_a_collection_shows_dreams_through_its_instance(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> None:
    group = bpy.data.collections.new("Group")
    group.objects.link(suzanne)
    empty = bpy.data.objects.new("Instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", group
    scene.collection.objects.link(empty)
    suzanne.select_set(False)
    empty.select_set(True)
    dream()
    assert dream_factor(suzanne.active_material) == 1


def test_what_bends_is_seen_at_several_frames(
    suzanne: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path
) -> None:
    suzanne.shape_key_add(name="Basis")
    bent = suzanne.shape_key_add(name="Bent", from_mix=False)
    for point in bent.data:
        point.co.z *= 2
    for frame, value in ((1, 0.0), (3, 1.0)):
        bent.value = value
        bent.keyframe_insert("value", frame=frame)
    scene.frame_start, scene.frame_end = 1, 3
    scene.frame_set(2)
    scene.deepdream.surface.moments = 3
    dream()
    assert scene.frame_current == 2
    assert dream_factor(suzanne.active_material) == 1


def test_the_scenes_camera_alone(suzanne: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path) -> None:
    scene.deepdream.surface.spread = "CAMERA"
    scene.frame_start, scene.frame_end = 1, 2
    dream()
    assert len(list((tmp_path / "cache/surface").rglob("camera*-dark.exr"))) == 2
    assert dream_factor(suzanne.active_material) == 1


def test_floats(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> None:
    scene.deepdream.surface.depth = "half"
    dream()
    assert texture(suzanne.active_material).is_float


def test_an_image_that_others_use_is_left_alone(suzanne: bpy.types.Object) -> None:
    tree = suzanne.active_material.node_tree
    image = bpy.data.images.new("Paint", 32, 32)
    image.pixels.foreach_set(np.tile(np.array([0.6, 0.3, 0.2, 1], np.float32), 32 * 32))
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    tree.links.new(node.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])
    before = pixels(image)
    dream()
    assert np.array_equal(pixels(image), before)
    assert node.image == image
    bpy.ops.deepdream.remove_surface()
    assert tree.nodes["Principled BSDF"].inputs["Base Color"].links[0].from_node == node


def test_linked_objects_are_refused(suzanne: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path) -> None:
    bpy.data.libraries.write(str(tmp_path / "lib.blend"), {suzanne})
    with bpy.data.libraries.load(str(tmp_path / "lib.blend"), link=True) as (_, wanted):
        wanted.objects = [suzanne.name]
    scene.collection.objects.link(wanted.objects[0])
    suzanne.select_set(False)
    for change in (
        lambda linked: linked,
        lambda linked: linked.override_create(remap_local_usages=True),
        lambda overridden: overridden.data.override_create(remap_local_usages=True),
    ):
        change(scene.collection.objects[-1])
        item = scene.collection.objects[-1]
        item.select_set(True)
        with pytest.raises(RuntimeError, match="linked from another file"):
            bpy.ops.deepdream.dream_surface()
