# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the scene's objects to train on: whole, the same again for the same seed, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_deepdream.addon import changes
from blender_deepdream.addon.dataset import DatasetJob, render_dataset
from blender_deepdream.addon.dataset_scene import subject_outline
from blender_deepdream.addon.png_note import read_note
from blender_deepdream.addon.subjects import collections_as_subjects, objects_as_subjects, selected_subjects
from blender_deepdream.protocol.errors import InputError, SceneError, StorageError

from .conftest import pixels


@pytest.fixture
def studio(scene: bpy.types.Scene, tmp_path: Path) -> bpy.types.Scene:
    """Two objects, selected, and settings that are quick."""
    bpy.ops.mesh.primitive_cone_add(location=(20, 5, -3), scale=(0.1, 0.1, 2))
    bpy.context.object.name = "Kegel/ä"
    bpy.data.objects["Suzanne"].select_set(True)
    settings = scene.deepdream.dataset
    settings.count, settings.side, settings.samples, settings.engine = 3, 48, 2, "CYCLES"
    scene.deepdream.training.pictures = str(tmp_path / "set")
    return scene


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def job_of(scene: bpy.types.Scene, folder: str | None = None) -> DatasetJob:
    subjects = selected_subjects(bpy.context.view_layer, "OBJECTS")
    settings = scene.deepdream
    return settings.dataset.to_job(scene, subjects, settings.training.pictures if folder is None else folder)


def everything() -> dict[str, list[str]]:
    """What lies in the file, by kind."""
    kinds = ("scenes", "objects", "cameras", "lights", "worlds", "collections", "meshes", "actions")
    return {kind: [item.name for item in getattr(bpy.data, kind)] for kind in kinds}


def test_selected_objects_are_classes(studio: bpy.types.Scene, tmp_path: Path) -> None:
    before = everything(), studio.world.name, changes.unsaved_3d(), studio.camera.matrix_world.copy()
    assert bpy.ops.deepdream.render_dataset() == {"FINISHED"}
    names = [f"{name}/{number:04d}.png" for name in ("Kegel_ä", "Suzanne") for number in (1, 2, 3)]
    assert sorted(contents(tmp_path / "set")) == names
    for name in names:
        alpha = pixels(tmp_path / "set" / name)[..., 3]
        assert alpha.shape == (48, 48)
        assert 0.01 < (alpha > 0.5).mean() < 0.9, "the subject and the empty space around it"
        assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) < 0.5, "whole"
    assert (everything(), studio.world.name, changes.unsaved_3d(), studio.camera.matrix_world) == before


def test_the_same_seed_gives_the_same_files(studio: bpy.types.Scene, tmp_path: Path) -> None:
    bpy.ops.deepdream.render_dataset()
    bpy.ops.deepdream.render_dataset(folder=str(tmp_path / "again"))
    assert contents(tmp_path / "again") == contents(tmp_path / "set")
    studio.deepdream.dataset.seed = 1
    bpy.ops.deepdream.render_dataset(folder=str(tmp_path / "other"))
    assert not set(contents(tmp_path / "other").values()) & set(contents(tmp_path / "set").values())


def test_finished_pictures_are_kept_until_what_they_show_changes(studio: bpy.types.Scene, tmp_path: Path) -> None:
    def rendered() -> list[str]:
        job = job_of(studio)
        return [event.subject for event in render_dataset(job) if event.rendered]

    assert rendered() == ["Kegel_ä"] * 3 + ["Suzanne"] * 3
    (tmp_path / "set" / "Suzanne" / "0002.png").unlink()
    assert rendered() == ["Suzanne"]
    studio.deepdream.dataset.count = 4
    assert rendered() == ["Kegel_ä", "Suzanne"]
    bpy.data.objects["Suzanne"].scale.x = 2
    assert rendered() == ["Suzanne"] * 4
    studio.deepdream.dataset.again = True
    assert len(rendered()) == 8


def test_whoever_stops_keeps_what_is_finished(studio: bpy.types.Scene, tmp_path: Path) -> None:
    before = everything()
    job = job_of(studio)
    steps = render_dataset(job)
    assert [next(steps).text for _ in range(2)] == ["Kegel_ä: picture 1 of 6", "Kegel_ä: picture 2 of 6"]
    steps.close()
    assert sorted(contents(tmp_path / "set")) == ["Kegel_ä/0001.png", "Kegel_ä/0002.png"]
    assert everything() == before


def test_pictures_of_others_are_never_written_over(studio: bpy.types.Scene, tmp_path: Path) -> None:
    own = tmp_path / "set" / "Suzanne" / "0003.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"an artist's own")
    with pytest.raises(RuntimeError, match=r"0003\.png was not rendered here\. Choose an empty folder"):
        bpy.ops.deepdream.render_dataset()
    assert contents(tmp_path / "set") == {"Suzanne/0003.png": b"an artist's own"}
    assert "0003" in bpy.context.window_manager.deepdream.dataset.error


def test_a_background_of_colors(studio: bpy.types.Scene, tmp_path: Path) -> None:
    studio.deepdream.dataset.background = "COLOR"
    bpy.ops.deepdream.render_dataset()
    corners = [pixels(path)[0, 0] for path in sorted(tmp_path.rglob("*.png"))]
    assert all(corner[3] == 1 for corner in corners)
    assert len({tuple(corner) for corner in corners}) == len(corners)


def test_the_frame_of_an_animation_is_taken(studio: bpy.types.Scene) -> None:
    """Suzanne turns: her outline is another one at the animation's end, and she herself is left as she stands."""
    monkey = bpy.data.objects["Suzanne"]
    outlines = []
    for frame in (1, 10):
        studio.frame_set(frame)
        stands = monkey.matrix_world.copy()
        outlines.append(subject_outline(studio, [monkey]))
        assert monkey.matrix_world == stands
    assert np.abs(outlines[0].max(0) - outlines[1].max(0)).max() > 0.01


def test_a_collection_is_a_class_with_all_that_is_in_it(studio: bpy.types.Scene) -> None:
    pair = bpy.data.collections.new("Pair")
    studio.collection.children.link(pair)
    for name in ("Suzanne", "Kegel/ä", "Sun"):
        pair.objects.link(bpy.data.objects[name])
    (found,) = selected_subjects(bpy.context.view_layer, "COLLECTIONS")
    assert found.name == "Pair"
    assert len(found.objects) == 2, "a lamp is no part of a subject"


def test_children_belong_to_their_parent(studio: bpy.types.Scene) -> None:
    monkey, cone = bpy.data.objects["Suzanne"], bpy.data.objects["Kegel/ä"]
    cone.parent = monkey
    (found,) = selected_subjects(bpy.context.view_layer, "OBJECTS")
    assert (found.name, set(found.objects)) == ("Suzanne", {monkey.session_uid, cone.session_uid})


def test_copies_of_a_collection_are_seen(studio: bpy.types.Scene) -> None:
    hidden = bpy.data.collections.new("Hidden")
    hidden.objects.link(bpy.data.objects["Suzanne"])
    copies = bpy.data.objects.new("Copies", None)
    copies.instance_type, copies.instance_collection, copies.location = "COLLECTION", hidden, (0, 0, 50)
    studio.collection.objects.link(copies)
    points = subject_outline(studio, [copies])
    assert points[:, 2].min() > 48


def test_names_that_are_alike_are_told_apart(studio: bpy.types.Scene) -> None:
    for name in ("con", "a:b", "a/b"):
        studio.collection.objects.link(bpy.data.objects.new(name, bpy.data.objects["Suzanne"].data))
    names = [subject.name for subject in objects_as_subjects(bpy.data.objects[name] for name in ("con", "a:b", "a/b"))]
    assert len(set(names)) == 3
    assert "con" not in names


def test_nothing_selected_is_said(studio: bpy.types.Scene) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    bpy.data.objects["Sun"].select_set(True)
    with pytest.raises(RuntimeError, match="No object with a surface is selected"):
        bpy.ops.deepdream.render_dataset()
    with pytest.raises(SceneError, match="No collection"):
        collections_as_subjects([])


def no_faces(item: bpy.types.Object) -> None:
    item.data.clear_geometry()


def not_in_viewports(item: bpy.types.Object) -> None:
    item.hide_viewport = True


@pytest.mark.parametrize("unseen", [no_faces, not_in_viewports])
def test_what_cannot_be_seen_is_said_before_anything_is_rendered(
    studio: bpy.types.Scene, tmp_path: Path, unseen: Callable[[bpy.types.Object], None]
) -> None:
    job = job_of(studio)
    unseen(bpy.data.objects["Kegel/ä"])
    with pytest.raises(SceneError, match="'Kegel_ä' has no faces that a camera could see"):
        list(render_dataset(job))
    assert not (tmp_path / "set").exists()


def test_what_no_render_shows_is_no_class(studio: bpy.types.Scene) -> None:
    bpy.data.objects["Kegel/ä"].hide_render = True
    assert [subject.name for subject in selected_subjects(bpy.context.view_layer, "OBJECTS")] == ["Suzanne"]


def test_a_folder_is_needed_and_must_be_writable(studio: bpy.types.Scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    for folder, error in (("", InputError), ("//set", InputError)):
        with pytest.raises(error):
            job_of(studio, folder)
    with pytest.raises(StorageError, match="cannot be written"):
        list(render_dataset(job_of(studio, str(tmp_path / "file" / "set"))))


def test_a_failed_render_leaves_nothing_behind(
    studio: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()

    def fail(scene: bpy.types.Scene, path: Path) -> None:
        path.write_bytes(b"half a picture")
        raise StorageError("The disk is full.")

    monkeypatch.setattr("blender_deepdream.addon.dataset.render_still", fail)
    with pytest.raises(RuntimeError, match="disk is full"):
        bpy.ops.deepdream.render_dataset()
    assert contents(tmp_path / "set") == {}
    assert everything() == before


def test_notes_of_what_is_no_whole_png(tmp_path: Path, studio: bpy.types.Scene) -> None:
    bpy.ops.deepdream.render_dataset()
    path = tmp_path / "set" / "Suzanne" / "0001.png"
    whole = path.read_bytes()
    assert (read_note(path) or "").startswith("DeepDream data set ")
    for broken in (b"", b"\x89PNG", whole[:60], whole[:-8], b"GIF89a" + whole):
        path.write_bytes(broken)
        assert read_note(path) is None
    assert read_note(tmp_path / "nowhere.png") is None
