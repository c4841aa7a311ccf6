# SPDX-License-Identifier: GPL-3.0-or-later
"""Dreaming surfaces end to end, through the operator and a server of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon.cache import scene_cache
from blender_deepdream.addon.surface.color_input import color_input, dream_factor, original_input
from blender_deepdream.addon.surface.job import photograph
from blender_deepdream.addon.surface.targets import OWN_LAYER

SMALL = {"views": 5, "side": 64, "samples": 1, "size": 128, "steps": 1, "octaves": 1, "step_size": 0.05}
CLAY = (0.4, 0.3, 0.25, 1.0)


@pytest.fixture
def suzanne(scene: bpy.types.Scene, tmp_path: Path) -> bpy.types.Object:
    """The one mesh of a scene, of clay, selected; its dream is one of a moment."""
    item = bpy.context.object
    item.data.materials.append(clay())
    scene.deepdream.cache = str(tmp_path / "cache")
    for name, value in SMALL.items():
        setattr(scene.deepdream.surface, name, value)
    return item


def clay() -> bpy.types.Material:
    material = bpy.data.materials.new("Clay")
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    color_input(material).default_value = CLAY
    return material


def dream() -> None:
    assert bpy.ops.deepdream.dream_surface() == {"FINISHED"}, bpy.context.window_manager.deepdream.surface.error


def texture(material: bpy.types.Material) -> bpy.types.Image:
    (node,) = [node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeTexImage"]
    return node.image


def pixels(image: bpy.types.Image) -> np.ndarray:
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], -1)


def everything() -> Iterator[tuple[str, int]]:
    for kind in ("scenes", "objects", "meshes", "materials", "images", "worlds", "cameras", "lights"):
        yield kind, sum(item.name != "Render Result" for item in getattr(bpy.data, kind))


def test_a_dream_is_wired_in_and_the_original_is_one_click_away(suzanne: bpy.types.Object) -> None:
    before, material = dict(everything()), suzanne.active_material
    layers = [layer.name for layer in suzanne.data.uv_layers]
    dream()
    assert dict(everything()) == before | {"images": before["images"] + 1}, "nothing is left but the texture"
    assert suzanne.active_material == material
    assert [layer.name for layer in suzanne.data.uv_layers] == layers
    image = texture(material)
    assert tuple(image.size) == (128, 128)
    assert image.packed_file
    assert color_input(material).links[0].from_node.bl_idname == "ShaderNodeMix"
    assert tuple(original_input(material).default_value) == pytest.approx(CLAY)
    assert dream_factor(material) == 1
    assert pixels(image)[..., :3].std() > 0.005
    bpy.ops.deepdream.toggle_surface()
    assert dream_factor(material) == 0
    bpy.ops.deepdream.toggle_surface()
    assert dream_factor(material) == 1
    bpy.ops.deepdream.remove_surface()
    assert dream_factor(material) is None
    assert not color_input(material).is_linked
    assert tuple(color_input(material).default_value) == pytest.approx(CLAY)


def test_views_are_rendered_once_and_the_same_dream_has_the_same_bits(
    suzanne: bpy.types.Object, tmp_path: Path
) -> None:
    dream()
    first = pixels(texture(suzanne.active_material))
    rendered = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache/surface").rglob("*.exr")}
    assert len(rendered) == 3 * 5 + 1
    dream()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache/surface").rglob("*.exr")} == rendered
    assert np.array_equal(pixels(texture(suzanne.active_material)), first)
    original_input(suzanne.active_material).default_value = (0.1, 0.5, 0.1, 1)
    dream()
    assert len(list((tmp_path / "cache/surface").rglob("*.exr"))) == 2 * len(rendered), "another colour, other views"


def test_a_mesh_without_uvs_gets_a_map_of_its_own(suzanne: bpy.types.Object) -> None:
    while suzanne.data.uv_layers:
        suzanne.data.uv_layers.remove(suzanne.data.uv_layers[0])
    dream()
    assert [layer.name for layer in suzanne.data.uv_layers] == [OWN_LAYER]
    (node,) = [node for node in suzanne.active_material.node_tree.nodes if node.bl_idname == "ShaderNodeUVMap"]
    assert node.uv_map == OWN_LAYER


def test_uvs_that_lie_over_themselves_are_left_alone(suzanne: bpy.types.Object) -> None:
    layer = suzanne.data.uv_layers[0]
    places = np.tile(np.array([0, 0, 1, 0, 1, 1], np.float32), len(suzanne.data.loops))[: 2 * len(suzanne.data.loops)]
    layer.uv.foreach_set("vector", places)
    dream()
    assert [found.name for found in suzanne.data.uv_layers] == [layer.name, OWN_LAYER]
    assert suzanne.data.uv_layers[0].active_render
    after = np.empty_like(places)
    suzanne.data.uv_layers[0].uv.foreach_get("vector", after)
    assert np.array_equal(after, places)


def test_a_material_that_others_use_is_copied(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> None:
    other = bpy.data.objects.new("Other", suzanne.data.copy())
    scene.collection.objects.link(other)
    shared = suzanne.active_material
    dream()
    assert other.active_material == shared
    assert dream_factor(shared) is None
    assert dream_factor(suzanne.active_material) == 1


def test_an_object_without_a_material_gets_one(suzanne: bpy.types.Object) -> None:
    suzanne.data.materials.clear()
    dream()
    assert dream_factor(suzanne.active_material) == 1


def test_what_is_painted_black_does_not_dream(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> None:
    paint = suzanne.data.color_attributes.new("Where", "FLOAT_COLOR", "POINT")
    right = [vertex.co.x > 0 for vertex in suzanne.data.vertices]
    paint.data.foreach_set("color", np.repeat(np.array(right, np.float32), 4))
    scene.deepdream.surface.mask = "Where"
    dream()
    changed = np.abs(pixels(texture(suzanne.active_material))[..., :3] - as_shown(CLAY[:3])).max(2) > 0.01
    assert 0.2 < changed.mean() < 0.8
    scene.deepdream.surface.mask = "Nowhere"
    with pytest.raises(RuntimeError, match="no colour attribute 'Nowhere'"):
        bpy.ops.deepdream.dream_surface()


def as_shown(linear: tuple[float, ...]) -> np.ndarray:
    """sRGB's curve."""
    return 1.055 * np.array(linear) ** (1 / 2.4) - 0.055


def test_bad_input_is_told_and_changes_nothing(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> None:
    def refused() -> str:
        with pytest.raises(RuntimeError) as caught:
            bpy.ops.deepdream.dream_surface()
        return str(caught.value)

    suzanne.select_set(False)
    assert "No mesh is selected" in refused()
    suzanne.select_set(True)
    scene.deepdream.surface.objective = "guide-dot"
    assert "needs a guide" in refused()
    scene.deepdream.surface.objective = "l2"
    scene.deepdream.surface.brain = "nobody"
    assert "no brain 'nobody'" in refused()
    scene.deepdream.surface.brain = "lite0"
    tree = suzanne.active_material.node_tree
    tree.links.remove(tree.get_output_node("CYCLES").inputs["Surface"].links[0])
    assert "no base colour" in refused()
    suzanne.data.clear_geometry()
    assert "has no faces" in refused()
    assert dream_factor(suzanne.active_material) is None


def test_a_window_comes_on_however_long_it_takes_to_look_at_what_is_there(
    suzanne: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    job = scene.deepdream.surface.to_job(scene, [suzanne], scene_cache(scene), lambda: pytest.fail("nobody is asked"))
    told = [event.text for event in itertools.islice(photograph(scene, job.album, 0.0), 40)]
    assert [text.split(",")[0] for text in told] == [
        f"Rendering views: picture {number} of 16" for number in range(1, 16)
    ]
