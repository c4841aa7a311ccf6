# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions of surfaces, from the panel's list and from the command line to the textures."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import batch_surface

from .test_job import dream, pixels, suzanne, texture

__all__ = ["suzanne"]


def paint(item: bpy.types.Object, name: str, where: np.ndarray) -> None:
    """A colour attribute: white at these vertices."""
    attribute = item.data.color_attributes.new(name, "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", np.repeat(where.astype(np.float32), 4))


def on_the_right(item: bpy.types.Object) -> np.ndarray:
    return np.array([vertex.co.x > 0 for vertex in item.data.vertices])


@pytest.fixture
def settings(suzanne: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.PropertyGroup:
    """Those of surfaces, with a region of a layer of its own, whose mask is still to be chosen."""
    found = scene.deepdream.surface
    found.layers, found.jitter = "_blocks.4", 0
    bpy.ops.deepdream.add_surface_region()
    found.regions[0].layers = "_blocks.9"
    return found


def refused() -> str:
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.deepdream.dream_surface()
    return str(caught.value)


def changed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(one - other)[..., :3].max(2) > 0.01


def test_a_painted_region_dreams_of_its_own(
    suzanne: bpy.types.Object, settings: bpy.types.PropertyGroup, tmp_path: Path
) -> None:
    paint(suzanne, "Right", on_the_right(suzanne))
    settings.regions[0].attribute = "Right"
    dream()
    mixed = pixels(texture(suzanne.active_material))
    (mask,) = (tmp_path / "cache/surface").rglob("mask-*.exr")
    inside = pixels(bpy.data.images.load(str(mask)))
    bpy.ops.deepdream.remove_surface_region()
    assert not settings.regions
    dream()
    others = changed(mixed, pixels(texture(suzanne.active_material)))
    surface = inside[..., 3] > 0.5
    right = surface & (inside[..., 0] > 0.9)
    left = surface & (inside[..., 0] < 0.1)
    assert 0.2 < right.sum() / surface.sum() < 0.8
    assert others[right].mean() > 0.5
    # the step size is a mean over all that changes
    assert others[left].mean() < others[right].mean()


def test_an_image_on_the_uv_map_is_a_mask_also_where_the_dream_has_a_map_of_its_own(
    suzanne: bpy.types.Object, settings: bpy.types.PropertyGroup, tmp_path: Path
) -> None:
    white = np.zeros((64, 64, 4), np.float32)
    white[:32] = 1  # the lower half
    image = bpy.data.images.new("Where", 64, 64)
    image.pixels.foreach_set(white.ravel())
    settings.regions[0].mask, settings.uvs = image, "OWN"
    suzanne.data.uv_layers[0].uv.foreach_set(
        "vector", np.tile(np.array([0.5, 0.25], np.float32), len(suzanne.data.loops))
    )
    dream()
    masks = list((tmp_path / "cache/surface").rglob("mask-*.exr"))
    baked = pixels(bpy.data.images.load(str(masks[0])))
    assert baked[baked[..., 3] > 0.5][:, :3].min() > 0.99
    white[:] = 0
    image.pixels.foreach_set(white.ravel())
    dream()
    again = [path for path in (tmp_path / "cache/surface").rglob("mask-*.exr") if path not in masks]
    assert len(again) == 1, "what was painted meanwhile is another mask"
    assert pixels(bpy.data.images.load(str(again[0])))[..., :3].max() < 0.01


def test_an_object_that_is_not_painted_is_not_in_the_region(
    suzanne: bpy.types.Object, settings: bpy.types.PropertyGroup, tmp_path: Path
) -> None:
    bpy.ops.mesh.primitive_cube_add(location=(3, 0, 0))
    cube = bpy.context.object
    paint(cube, "All", np.ones(len(cube.data.vertices), bool))
    settings.regions[0].attribute = "All"
    for item in (suzanne, cube):
        item.select_set(True)
    dream()
    masks = sorted((tmp_path / "cache/surface").rglob("mask-*.exr"))
    means = sorted(float(pixels(bpy.data.images.load(str(mask)))[..., 0].max()) for mask in masks)
    assert means == pytest.approx([0, 1], abs=0.01)


def test_bad_regions_are_told_before_anything_is_rendered(
    suzanne: bpy.types.Object, settings: bpy.types.PropertyGroup, tmp_path: Path
) -> None:
    assert "Region 1 needs a mask" in refused()
    settings.regions[0].attribute = "Nowhere"
    assert "no object has such a colour attribute" in refused()
    paint(suzanne, "Nowhere", on_the_right(suzanne))
    settings.regions[0].objective = "guide-dot"
    assert "needs a guide" in refused()
    settings.regions[0].objective = "direction"
    assert "needs channels" in refused()
    settings.regions[0].objective, settings.regions[0].attribute = "same", ""
    settings.regions[0].mask = bpy.data.images.new("Where", 8, 8)
    while suzanne.data.uv_layers:
        suzanne.data.uv_layers.remove(suzanne.data.uv_layers[0])
    assert "has no UV map for it to lie on" in refused()
    assert not list((tmp_path / "cache").rglob("*dark.exr"))


def test_regions_from_the_command_line(
    suzanne: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paint(suzanne, "Right", on_the_right(suzanne))
    guide = tmp_path / "guide.png"
    picture = bpy.data.images.new("Guide", 64, 64)
    picture.pixels.foreach_set(np.random.default_rng(0).random(64 * 64 * 4, np.float32))
    picture.filepath_raw, picture.file_format = str(guide), "PNG"
    picture.save()
    damaged = tmp_path / "damaged.png"
    damaged.write_text("no image")
    dreamed = ["--objects", "Suzanne", "--output", str(tmp_path / "dreamed")]
    typed = ["--region", "Right", "_blocks.6", f"guide={guide}", "--region", str(guide), "_blocks.9"]
    assert batch_surface.main([*dreamed, *typed]) == 0
    assert len(list((tmp_path / "cache/surface").rglob("mask-*.exr"))) == 2
    for words, error in (
        (["Left", "-"], "no such file, nor has any object such a colour attribute"),
        (["Right", "-", "guide=nowhere.png"], "There is no file nowhere.png"),
        ([str(damaged), "-"], "is no image, or damaged"),
    ):
        assert batch_surface.main([*dreamed, "--region", *words]) == 2
        assert error in capfd.readouterr().err
