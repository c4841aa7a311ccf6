# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that dream: pixels in, pixels out, of the same kind."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import image_dream
from blender_deepdream.addon.image_dream import ImageJob, dream_image
from blender_deepdream.addon.runtime import ServerChoice, connect
from blender_deepdream.addon.surface.color_input import ensure_nodes
from blender_deepdream.protocol.errors import SceneError

from .conftest import QUICK


@pytest.fixture
def settings(scene: bpy.types.Scene) -> bpy.types.PropertyGroup:
    chosen = scene.deepdream.image
    for name, value in QUICK.items():
        setattr(chosen, name, value)
    return chosen


def picture(name: str, width: int = 48, height: int = 32, **more: bool) -> bpy.types.Image:
    """A painted image with colours, and alpha that falls from left to right."""
    image = bpy.data.images.new(name, width, height, alpha=True, **more)
    values = np.random.default_rng(3).random((height, width, 4), np.float32)
    values[..., 3] = np.linspace(1, 0, width, dtype=np.float32)
    if image.is_float:
        values[..., :3] *= values[..., 3:] * 3
    image.pixels.foreach_set(values.ravel())
    return image


def values(image: bpy.types.Image) -> np.ndarray:
    found = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(found)
    return found.reshape(image.size[1], image.size[0], image.channels)


@pytest.mark.parametrize("is_float", [False, True])
def test_the_dream_is_an_image_of_the_same_kind(settings: bpy.types.PropertyGroup, is_float: bool) -> None:
    image = picture("wall", float_buffer=is_float)
    before = values(image)
    assert bpy.ops.deepdream.dream_image(image="wall") == {"FINISHED"}
    dream = bpy.data.images["wall dreamed"]
    assert (tuple(dream.size), dream.is_float, dream.channels) == ((48, 32), is_float, 4)
    assert dream.colorspace_settings.name == image.colorspace_settings.name
    assert dream.packed_file
    after = values(dream)
    assert np.array_equal(values(image), before)
    assert np.abs(after[..., 3] - before[..., 3]).max() < 1 / 255
    assert np.abs(after[:, :-1, :3] - before[:, :-1, :3]).max() > 0.02
    assert np.abs(after - before).mean() < 0.2, "it is still the picture"


@pytest.mark.parametrize(
    ("is_float", "space", "alpha_mode"),
    [(True, "sRGB", "STRAIGHT"), (True, "Non-Color", "CHANNEL_PACKED"), (False, "sRGB", "PREMUL")],
)
def test_the_dream_is_the_same_when_the_file_is_opened_again(
    settings: bpy.types.PropertyGroup, tmp_path: Path, is_float: bool, space: str, alpha_mode: str
) -> None:
    image = picture("wall", float_buffer=is_float)
    pixels = values(image)
    image.colorspace_settings.name, image.alpha_mode = space, alpha_mode
    image.pixels.foreach_set(pixels.ravel())
    bpy.ops.deepdream.dream_image(image="wall")
    dream = bpy.data.images["wall dreamed"]
    dream.use_fake_user = True
    before = values(dream)
    path = str(tmp_path / "again.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert np.abs(values(bpy.data.images["wall dreamed"]) - before).max() < 1e-5


def test_an_image_that_changed_its_size_meanwhile_is_told(
    settings: bpy.types.PropertyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = picture("wall")
    read = image_dream._read

    def scaled(path: Path) -> np.ndarray:
        image.scale(24, 16)
        return read(path)

    monkeypatch.setattr(image_dream, "_read", scaled)
    with pytest.raises(RuntimeError, match="another size"):
        bpy.ops.deepdream.dream_image(image="wall")
    assert "wall dreamed" not in bpy.data.images


@pytest.mark.parametrize(("gone", "told"), [("wall", "is gone"), ("guide", "needs a guide image")])
def test_an_image_that_was_deleted_while_the_server_started_is_told(
    settings: bpy.types.PropertyGroup, gone: str, told: str
) -> None:
    settings.objective = "guide-dot"
    job = ImageJob(
        picture("wall").session_uid,
        settings.to_settings(),
        picture("guide").session_uid,
        replace=False,
        connect=lambda: connect(ServerChoice()),
        done=lambda _: None,
    )
    steps = dream_image(job)
    next(steps)
    bpy.data.images.remove(bpy.data.images[gone])
    with pytest.raises(SceneError, match=told):
        list(steps)


def test_what_does_not_dream_comes_back_as_it_was(settings: bpy.types.PropertyGroup) -> None:
    settings.strength = 0
    for is_float in (False, True):
        image = picture(f"still {is_float}", float_buffer=is_float)
        bpy.ops.deepdream.dream_image(image=image.name)
        dream = bpy.data.images[f"{image.name} dreamed"]
        assert np.abs(values(dream) - values(image)).max() < (1e-5 if is_float else 1.01 / 255)


def test_the_dream_takes_the_images_place(settings: bpy.types.PropertyGroup) -> None:
    settings.replace = True
    image = picture("skin")
    material = bpy.data.materials.new("skin")
    ensure_nodes(material)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    bpy.ops.deepdream.dream_image(image="skin")
    assert node.image == bpy.data.images["skin dreamed"]
    assert bpy.data.images["skin"].use_fake_user


def test_an_image_is_put_into_the_active_material(scene: bpy.types.Scene) -> None:
    image = picture("bark")
    bpy.ops.mesh.primitive_cube_add()
    assert not bpy.ops.deepdream.image_to_material.poll()
    material = bpy.data.materials.new("trunk")
    ensure_nodes(material)
    bpy.context.object.data.materials.append(material)
    bpy.ops.deepdream.image_to_material(image="bark")
    shader = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    texture = shader.inputs["Base Color"].links[0].from_node
    assert texture.image == image
    other = picture("moss")
    bpy.ops.deepdream.image_to_material(image="moss")
    assert texture.image == other
    assert len(material.node_tree.nodes) == 3


def test_the_active_objects_texture_dreams(settings: bpy.types.PropertyGroup) -> None:
    picture("fur")
    bpy.ops.mesh.primitive_cube_add()
    material = bpy.data.materials.new("fur")
    ensure_nodes(material)
    bpy.context.object.data.materials.append(material)
    bpy.ops.deepdream.image_to_material(image="fur")
    bpy.ops.deepdream.dream_image()
    assert "fur dreamed" in bpy.data.images


def test_what_cannot_dream_is_refused_in_words(settings: bpy.types.PropertyGroup, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no image"):
        bpy.ops.deepdream.dream_image()
    with pytest.raises(RuntimeError, match="no image"):
        bpy.ops.deepdream.dream_image(image="nowhere")
    lost = picture("lost")
    lost.filepath, lost.source = str(tmp_path / "gone.png"), "FILE"
    lost.reload()
    with pytest.raises(RuntimeError, match="no pixels"):
        bpy.ops.deepdream.dream_image(image="lost")
    tiled = picture("tiled")
    tiled.source = "TILED"
    with pytest.raises(RuntimeError, match="UDIM"):
        bpy.ops.deepdream.dream_image(image="tiled")
    settings.objective = "guide-dot"
    picture("guided")
    with pytest.raises(RuntimeError, match="guide"):
        bpy.ops.deepdream.dream_image(image="guided")


def test_one_pixel_dreams_or_is_refused_in_words(settings: bpy.types.PropertyGroup) -> None:
    picture("dot", 1, 1)
    try:
        bpy.ops.deepdream.dream_image(image="dot")
    except RuntimeError as error:
        assert "Traceback" not in str(error)
        assert "broke" not in str(error)
    else:
        assert tuple(bpy.data.images["dot dreamed"].size) == (1, 1)
