# SPDX-License-Identifier: GPL-3.0-or-later
"""A dreamed relief in the displacement of materials."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import batch_surface
from blender_deepdream.addon.cache import scene_cache
from blender_deepdream.addon.surface.job import destinations
from blender_deepdream.addon.surface.relief_output import LABEL, displacement_input, remove_relief, show_relief

from .test_job import dream, pixels, suzanne

__all__ = ["suzanne"]


def ours(material: bpy.types.Material) -> dict[str, bpy.types.Node]:
    return {node.bl_idname: node for node in material.node_tree.nodes if node.label == LABEL}


def output(material: bpy.types.Material) -> bpy.types.NodeSocket:
    return material.node_tree.get_output_node("CYCLES").inputs["Displacement"]


def test_a_relief_is_wired_in_switched_and_taken_away(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> None:
    scene.deepdream.surface.relief = 1.0
    material = suzanne.active_material
    dream()
    nodes = ours(material)
    image = nodes["ShaderNodeTexImage"].image
    assert image.packed_file
    assert tuple(image.size) == (128, 128)
    assert image.colorspace_settings.name == "Non-Color"
    heights = pixels(image)[..., 0]
    assert 1e-4 < np.abs(heights).max() < 1, "in world units"
    assert output(material).links[0].from_node == nodes["ShaderNodeVectorMath"]
    scale = nodes["ShaderNodeDisplacement"].inputs["Scale"]
    assert scale.default_value == 1
    bpy.ops.deepdream.toggle_surface()
    assert scale.default_value == 0
    bpy.ops.deepdream.remove_surface()
    assert not ours(material)
    assert not output(material).is_linked


def test_the_artists_own_displacement_stays_and_views_are_rendered_once(
    suzanne: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path
) -> None:
    tree = suzanne.active_material.node_tree
    own = tree.nodes.new("ShaderNodeDisplacement")
    tree.links.new(own.outputs[0], output(suzanne.active_material))
    scene.deepdream.surface.relief = 0.5
    for _ in range(2):
        dream()
        assert displacement_input(suzanne.active_material).links[0].from_node == own
    assert len(list((tmp_path / "cache/surface").rglob("*-dark.exr"))) == 5, "the relief is in no view"
    scene.deepdream.surface.relief = 0
    dream()
    assert not ours(suzanne.active_material), "another dream takes its place, with its own relief or none"
    assert output(suzanne.active_material).links[0].from_node == own


def test_from_the_command_line(suzanne: bpy.types.Object, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dreamed = ["--objects", "Suzanne", "--output", str(tmp_path / "dreamed")]
    assert batch_surface.main([*dreamed, "--relief", "0.5"]) == 0
    assert sorted(path.name for path in (tmp_path / "dreamed").glob("*.*[gr]")) == ["Clay-relief.exr", "Clay.png"]
    assert batch_surface.main([*dreamed, "--relief", "9"]) == 2
    assert "Relief must be from 0" in capfd.readouterr().err


def test_what_is_left_of_a_relief_that_was_taken_apart_goes_too(suzanne: bpy.types.Object) -> None:
    material, image = suzanne.active_material, bpy.data.images.new("Heights", 8, 8)
    show_relief(material, image, "UVMap")
    material.node_tree.nodes.remove(ours(material)["ShaderNodeVectorMath"])
    show_relief(material, image, "UVMap")
    assert len([node for node in material.node_tree.nodes if node.label == LABEL]) == 4
    remove_relief(material)
    assert not ours(material)


def test_files_have_names_of_their_own(scene: bpy.types.Scene, suzanne: bpy.types.Object) -> None:
    other = suzanne.active_material.copy()
    other.name = "Clay-relief"
    suzanne.data.materials.append(other)
    suzanne.data.polygons[0].material_index = 1
    settings = scene.deepdream.surface
    settings.relief, settings.depth = 1.0, "half"
    job = settings.to_job(scene, [suzanne], scene_cache(scene), lambda: pytest.fail("nobody is to be asked"))
    assert len({path.name for path in destinations(job)}) == 4
