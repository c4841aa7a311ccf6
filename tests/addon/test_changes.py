# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from blender_deepdream.addon import changes

from .conftest import only_node


@pytest.fixture
def saved(dreaming: bpy.types.Scene, tmp_path: Path) -> bpy.types.Scene:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.context.view_layer.update()
    return bpy.context.scene


def key(scene: bpy.types.Scene) -> dict[str, object]:
    bpy.context.view_layer.update()
    return changes.raw_key(scene, scene, *changes.saved_hashes())


def test_same_scene_same_key(saved: bpy.types.Scene) -> None:
    before = key(saved)
    assert before["unsaved"] is None
    assert key(saved) == before


def test_dream_settings_leave_the_render_good(saved: bpy.types.Scene) -> None:
    before = key(saved)
    only_node(saved).group.deepdream.steps = 99
    assert key(saved) == before
    assert not changes.unsaved_3d()


def test_moving_an_object_makes_the_render_stale(saved: bpy.types.Scene) -> None:
    before = key(saved)
    bpy.data.objects["Sun"].location.x += 1
    assert key(saved) != before
    assert changes.unsaved_3d()


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        ("render", "resolution_x", 99),
        ("render", "resolution_percentage", 50),
        ("render", "film_transparent", True),
        ("render", "use_border", True),
        ("cycles", "samples", 99),
        ("cycles", "seed", 9),
    ],
)
def test_render_settings_make_the_render_stale(saved: bpy.types.Scene, owner: str, name: str, value: object) -> None:
    before = key(saved)
    setattr(getattr(saved, owner), name, value)
    assert key(saved) != before


def test_passes_make_the_render_stale(saved: bpy.types.Scene) -> None:
    before = key(saved)
    saved.view_layers[0].use_pass_normal = True
    assert key(saved) != before


def test_output_and_threads_do_not_matter(saved: bpy.types.Scene) -> None:
    before = key(saved)
    saved.render.filepath = "/elsewhere"
    saved.render.threads_mode = "FIXED"
    saved.render.threads = 1
    assert key(saved) == before


def test_a_texture_that_was_painted_makes_the_render_stale(scene: bpy.types.Scene, tmp_path: Path) -> None:
    image = bpy.data.images.new("Texture", 8, 8)
    material = bpy.data.materials.new("Painted")
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    bpy.context.object.data.materials.append(material)
    image.pack()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    before = key(bpy.context.scene)
    image.pixels[0] = 0.5
    image.update()
    image.update_tag()
    assert key(bpy.context.scene) != before


def test_another_material_makes_the_render_stale(saved: bpy.types.Scene) -> None:
    before = key(saved)
    bpy.data.objects["Suzanne"].data.materials.append(bpy.data.materials.new("New"))
    assert key(saved) != before


def test_hiding_an_object_makes_the_render_stale(saved: bpy.types.Scene) -> None:
    before = key(saved)
    bpy.data.objects["Sun"].hide_render = True
    assert key(saved) != before


@pytest.mark.parametrize("what", ["hidden", "emptied", "excluded", "moved on"])
def test_collections_that_show_something_else_make_the_render_stale(saved: bpy.types.Scene, what: str) -> None:
    collection = bpy.data.collections.new("Stage")
    saved.collection.children.link(collection)
    collection.objects.link(bpy.data.objects["Sun"])
    bpy.context.view_layer.update()
    before = key(saved)
    if what == "hidden":
        collection.hide_render = True
    elif what == "emptied":
        collection.objects.unlink(bpy.data.objects["Sun"])
    elif what == "excluded":
        saved.view_layers[0].layer_collection.children["Stage"].exclude = True
    else:
        saved.frame_set(saved.frame_current + 1)
    parts = ("unsaved", "objects")
    assert any(key(saved)[part] != before[part] for part in parts) == (what != "moved on")


def test_collections_of_the_same_objects_leave_the_render_good(saved: bpy.types.Scene) -> None:
    """Blender reports them when images come and go."""
    reported = SimpleNamespace(
        id=SimpleNamespace(original=saved.collection), is_updated_geometry=True, is_updated_transform=False
    )
    assert not changes._changes_3d(reported)
    saved.collection.objects.unlink(bpy.data.objects["Sun"])
    assert changes._changes_3d(reported)
    assert not changes._changes_3d(reported)


def test_keyframes_of_a_dream_setting_leave_the_render_good(saved: bpy.types.Scene) -> None:
    before = key(saved)
    only_node(saved).group.deepdream.keyframe_insert("seed", frame=1)
    assert key(saved) == before


def test_another_file_on_disk_is_another_key(saved: bpy.types.Scene) -> None:
    before = key(saved)
    bpy.data.objects["Sun"].location.x += 1
    bpy.ops.wm.save_mainfile()
    assert key(saved)["unsaved"] is None
    assert key(saved)["blend"] != before["blend"]


def test_a_copy_saved_elsewhere_is_no_save(saved: bpy.types.Scene, tmp_path: Path) -> None:
    before = key(saved)
    bpy.data.objects["Sun"].location.x += 1
    bpy.context.view_layer.update()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "copy.blend"), copy=True)
    assert key(saved) != before


def test_never_saved_files_do_not_share_renders(scene: bpy.types.Scene) -> None:
    assert key(scene)["unsaved"] is not None
