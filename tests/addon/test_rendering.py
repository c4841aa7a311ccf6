# SPDX-License-Identifier: GPL-3.0-or-later
"""Replayed passes composite to the very pixels that rendering gives, and the scene is left as it was."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import compat, rendering
from blender_deepdream.addon.exr import read_contents
from blender_deepdream.protocol.errors import RenderError, SceneError, StorageError

from .conftest import file_output, pixels


def add_blur(tree: bpy.types.NodeTree) -> None:
    """Something between the render and the output that needs Depth too: mixes colours by depth."""
    target = compat.output_socket(tree)
    source = target.links[0].from_socket
    invert = tree.nodes.new("CompositorNodeInvert")
    tree.links.new(source, invert.inputs["Color"])
    tree.links.new(invert.outputs[0], target)


def two_layers(scene: bpy.types.Scene) -> None:
    """A second view layer with another pass, added to the first in the compositor."""
    layer = scene.view_layers.new("Second")
    layer.use_pass_normal = True
    tree = compat.make_compositor_tree(scene)
    target = compat.output_socket(tree)
    second, over = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeAlphaOver")
    second.layer = "Second"
    images = [socket for socket in over.inputs if socket.type == "RGBA"]
    tree.links.new(target.links[0].from_socket, images[0])
    tree.links.new(second.outputs["Normal"], images[1])
    tree.links.new(over.outputs[0], target)


def half_size(scene: bpy.types.Scene) -> None:
    scene.render.resolution_percentage = 50


def border(scene: bpy.types.Scene) -> None:
    scene.render.use_border = True
    scene.render.border_min_x, scene.render.border_max_x = 0.25, 0.75
    scene.render.border_min_y, scene.render.border_max_y = 0.1, 0.8


def cropped(scene: bpy.types.Scene) -> None:
    border(scene)
    scene.render.use_crop_to_border = True


def transparent(scene: bpy.types.Scene) -> None:
    scene.render.film_transparent = True


def other_scene(scene: bpy.types.Scene) -> None:
    """A Render Layers node that takes another scene."""
    other = scene.copy()
    other.name = "Other"
    other.render.film_transparent = True
    for item in compat.make_compositor_tree(scene).nodes:
        if item.bl_idname == "CompositorNodeRLayers":
            item.scene = other


def smaller_other_scene(scene: bpy.types.Scene) -> None:
    """Blender renders it at the main scene's size."""
    other_scene(scene)
    bpy.data.scenes["Other"].render.resolution_x = 20


def cryptomatte(scene: bpy.types.Scene) -> None:
    """A pass whose channels have small letters, shown as it is."""
    scene.view_layers[0].use_pass_cryptomatte_object = True
    tree = compat.make_compositor_tree(scene)
    source = next(item for item in tree.nodes if item.bl_idname == "CompositorNodeRLayers")
    crypto = next(socket for socket in source.outputs if socket.name.startswith("Crypto") and socket.enabled)
    tree.links.new(crypto, compat.output_socket(tree))


def many_passes(scene: bpy.types.Scene) -> None:
    """Passes of all kinds, summed up."""
    layer = scene.view_layers[0]
    for name in ("normal", "position", "uv", "mist", "object_index", "diffuse_color", "emit", "shadow"):
        if hasattr(layer, f"use_pass_{name}"):
            setattr(layer, f"use_pass_{name}", True)
    layer.aovs.add().name = "Mine"
    tree = compat.make_compositor_tree(scene)
    source = next(item for item in tree.nodes if item.bl_idname == "CompositorNodeRLayers")
    target = compat.output_socket(tree)
    for socket in [socket for socket in source.outputs if socket.enabled and socket.name not in ("Image", "Alpha")]:
        over = tree.nodes.new("CompositorNodeAlphaOver")
        images = [image for image in over.inputs if image.type == "RGBA"]
        tree.links.new(target.links[0].from_socket, images[0])
        tree.links.new(socket, images[1])
        tree.links.new(over.outputs[0], target)


def freestyle(scene: bpy.types.Scene) -> None:
    scene.render.use_freestyle = scene.view_layers[0].use_freestyle = True
    scene.render.resolution_x, scene.render.resolution_y = 24, 18


VARIANTS = [lambda scene: None, half_size, border, cropped, transparent, two_layers, other_scene, smaller_other_scene]
VARIANTS += [cryptomatte, many_passes, freestyle]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__.strip("<>"))
def test_replay_composites_what_rendering_composites(
    scene: bpy.types.Scene, tmp_path: Path, variant: Callable[[bpy.types.Scene], None]
) -> None:
    add_blur(compat.make_compositor_tree(scene))
    variant(scene)
    rendered, replayed = tmp_path / "rendered.exr", tmp_path / "replayed.exr"
    compat.set_float_exr(scene.render.image_settings, multilayer=False)
    scene.render.filepath = str(rendered)
    bpy.ops.render.render(write_still=True)

    sources = {}
    links = link_names(scene)
    for used in rendering.rendered_scenes(scene):
        sources[used.name] = tmp_path / f"{used.name}.exr"
        rendering.render_3d(used, sources[used.name], scene if used != scene else None)
    rendering.composite(scene, sources, replayed)

    assert np.ptp(pixels(rendered)) > 0.1
    np.testing.assert_array_equal(pixels(replayed), pixels(rendered))
    assert link_names(scene) == links


def link_names(scene: bpy.types.Scene) -> list[tuple[str, str, str, str]]:
    tree = compat.compositor_tree(scene)
    return sorted((x.from_node.name, x.from_socket.name, x.to_node.name, x.to_socket.identifier) for x in tree.links)


def test_raw_frame_has_depth_and_vector_in_full_precision(scene: bpy.types.Scene, tmp_path: Path) -> None:
    rendering.render_3d(scene, tmp_path / "raw.exr")
    contents = read_contents(tmp_path / "raw.exr")
    names = {item.name: item.channels for item in contents.passes}
    assert (contents.width, contents.height) == (64, 48)
    assert names["Combined"] == "RGBA"
    assert names["Depth"] == "Z"
    assert names["Vector"] == "XYZW"


def test_motion_blur_means_no_vectors(scene: bpy.types.Scene, tmp_path: Path) -> None:
    scene.render.use_motion_blur = True
    rendering.render_3d(scene, tmp_path / "raw.exr")
    assert "Vector" not in {item.name for item in read_contents(tmp_path / "raw.exr").passes}


def test_artists_file_outputs_write_only_with_the_finished_frame(scene: bpy.types.Scene, tmp_path: Path) -> None:
    tree = compat.make_compositor_tree(scene)
    file_output(tree, compat.output_socket(tree).links[0].from_socket, tmp_path / "artist")
    source = tmp_path / "raw.exr"
    rendering.render_3d(scene, source)
    rendering.composite(scene, {scene.name: source}, None)
    assert not (tmp_path / "artist").exists()
    for frame in (1, 2):
        scene.frame_set(frame)
        rendering.composite(scene, {scene.name: source}, tmp_path / "final.png", "PNG")
    ours = sorted(path.name for path in (tmp_path / "artist").iterdir())

    scene.frame_start, scene.frame_end, scene.render.filepath = 1, 2, str(tmp_path / "plain-")
    for path in (tmp_path / "artist").iterdir():
        path.unlink()
    bpy.ops.render.render(animation=True)
    assert ours == sorted(path.name for path in (tmp_path / "artist").iterdir())


def snapshot(scene: bpy.types.Scene) -> dict[str, object]:
    """All simple settings of a scene, its render, its image format, its view layers and its compositor's nodes."""
    owners = [scene, scene.render, scene.render.image_settings, *scene.view_layers]
    owners += list(compat.compositor_tree(scene).nodes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # reading all means reading the old ones too
        return {
            f"{number} {prop.identifier}": getattr(owner, prop.identifier)
            for number, owner in enumerate(owners)
            for prop in owner.bl_rna.properties
            if prop.type in {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"} and not getattr(prop, "is_array", False)
        }


def test_scene_is_left_as_it_was(scene: bpy.types.Scene, tmp_path: Path) -> None:
    tree = compat.make_compositor_tree(scene)
    file_output(tree, compat.output_socket(tree).links[0].from_socket, tmp_path / "artist")
    compat.set_format(scene.render.image_settings, "JPEG")
    scene.render.image_settings.quality = 37
    scene.render.use_stamp_note = True
    before = snapshot(scene)
    rendering.render_3d(scene, tmp_path / "raw.exr")
    rendering.composite(scene, {scene.name: tmp_path / "raw.exr"}, tmp_path / "final.png", "PNG")
    assert snapshot(scene) == before


def test_scene_is_left_as_it_was_after_an_error(scene: bpy.types.Scene, tmp_path: Path) -> None:
    compat.make_compositor_tree(scene)
    before = snapshot(scene)
    (tmp_path / "file").touch()
    with pytest.raises((RenderError, StorageError, OSError)):
        rendering.render_3d(scene, tmp_path / "file" / "raw.exr")
    assert snapshot(scene) == before


def test_no_camera(scene: bpy.types.Scene) -> None:
    scene.camera = None
    with pytest.raises(SceneError, match="no camera"):
        rendering.check_scene(scene)
