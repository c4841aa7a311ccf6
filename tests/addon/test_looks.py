# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks, brains and layers as artists choose them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_deepdream.addon import brain_choice, known_brains, looks, picturing
from blender_deepdream.addon.runtime import ServerChoice, connect
from blender_deepdream.addon.surprise import MAX_NUMBER, surprise
from blender_deepdream.protocol.brain_info import BrainDetails, BrainInfo, Layer
from blender_deepdream.protocol.look import read_look

from .conftest import only_node


@pytest.fixture
def settings(dreaming: bpy.types.Scene) -> bpy.types.PropertyGroup:
    return only_node(dreaming).group.deepdream


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of the user's that are nobody's."""
    monkeypatch.setattr(looks, "users_folder", lambda: tmp_path)
    monkeypatch.setattr(known_brains, "users_folder", lambda: tmp_path)
    monkeypatch.setattr(picturing, "users_folder", lambda: tmp_path)
    known_brains.known_brains.cache_clear()
    yield tmp_path
    known_brains.known_brains.cache_clear()


def test_a_look_is_given_to_the_node(settings: Any, users: Path) -> None:
    path = next(path for path in looks.look_files() if path.stem == "bronze")
    settings.seed, settings.octaves = 7, 9
    bpy.ops.deepdream.apply_look(filepath=str(path))
    assert settings.layers == "_blocks.8, _blocks.4"
    assert (settings.color, settings.steps, settings.octaves, settings.seed) == ("decorrelated", 22, 4, 7)


def test_ones_own_look_is_kept_and_removed(settings: Any, users: Path) -> None:
    settings.layers, settings.strength = "_blocks.5=2", 0.35
    bpy.ops.deepdream.save_look(name="Mein Ätz!")
    (path,) = users.glob("*.json")
    assert read_look(path).settings["strength"] == 0.35
    settings.strength = 1
    bpy.ops.deepdream.apply_look(filepath=str(path))
    assert settings.strength == pytest.approx(0.35)
    bpy.ops.deepdream.remove_look(filepath=str(path))
    assert not path.exists()


def test_a_look_that_cannot_be_deleted_is_told(settings: Any, users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.ops.deepdream.save_look(name="Mine")
    (path,) = users.glob("*.json")

    def refused(file: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "in use", str(file))

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(RuntimeError, match="cannot be deleted: in use"):
        bpy.ops.deepdream.remove_look(filepath=str(path))


def test_a_look_without_a_name_is_refused(settings: Any, users: Path) -> None:
    with pytest.raises(RuntimeError, match="no name"):
        bpy.ops.deepdream.save_look(name=" ?! ")


def test_a_name_in_any_script_is_a_name(settings: Any, users: Path) -> None:
    bpy.ops.deepdream.save_look(name="夢の庭")
    (path,) = users.glob("*.json")
    assert looks.shown_name(path) == "夢の庭"
    assert len(looks.new_file("夢" * 120).name.encode()) < 255


def test_a_look_from_elsewhere_leaves_ones_own(settings: Any, users: Path, tmp_path_factory: Any) -> None:
    file = tmp_path_factory.mktemp("elsewhere") / "mine.json"
    settings.steps = 31
    bpy.ops.deepdream.export_look(filepath=str(file))
    settings.steps = 12
    bpy.ops.deepdream.save_look(name="Mine")
    for _ in range(2):
        bpy.ops.deepdream.import_look(filepath=str(file))
    assert {path.stem: read_look(path).settings["steps"] for path in users.glob("*.json")} == {"mine": 12, "mine-2": 31}


def test_looks_of_the_add_on_stay(settings: Any, users: Path) -> None:
    path = next(looks.look_files())
    with pytest.raises(RuntimeError, match="stays"):
        bpy.ops.deepdream.remove_look(filepath=str(path))
    assert path.exists()


def test_a_look_travels_as_a_file_with_its_brain(settings: Any, users: Path, tmp_path: Path) -> None:
    settings.brain, settings.steps = "emoji", 17
    file = tmp_path / "sent" / "happy.json"
    file.parent.mkdir()
    bpy.ops.deepdream.export_look(filepath=str(file))
    settings.brain, settings.steps = "lite0", 10
    bpy.ops.deepdream.import_look(filepath=str(file))
    assert (settings.brain, settings.steps) == ("emoji", 17)
    assert (users / "happy.json").is_file()


def test_a_file_that_is_no_look_changes_nothing(settings: Any, users: Path, tmp_path: Path) -> None:
    file = tmp_path / "evil.json"
    file.write_text('{"look": 1, "name": "x", "settings": {"steps": 1e9}}')
    before = settings.steps
    with pytest.raises(RuntimeError, match="out of range"):
        bpy.ops.deepdream.import_look(filepath=str(file))
    assert settings.steps == before


def test_random_looks_are_dreams(settings: Any, users: Path) -> None:
    found = set()
    for _ in range(20):
        bpy.ops.deepdream.random_look()
        found.add(settings.to_settings().layers)
        assert 1 <= settings.surprise <= MAX_NUMBER
    assert len(found) > 5
    seed = settings.seed
    bpy.ops.deepdream.new_seed()
    assert settings.seed != seed


def test_a_surprise_comes_again_by_its_number(settings: Any, users: Path) -> None:
    bpy.ops.deepdream.random_look(number=7)
    first = settings.to_settings()
    assert settings.surprise == 7
    bpy.ops.deepdream.random_look(number=8)
    assert settings.to_settings() != first
    bpy.ops.deepdream.random_look(number=7)
    assert settings.to_settings() == first


def test_a_brain_that_is_not_known_here_keeps_its_layers() -> None:
    assert "layers" not in surprise(7, [])
    assert surprise(7, ["only"])["layers"].startswith("only")


def test_a_layer_is_chosen_by_its_picture(settings: Any, users: Path) -> None:
    assert settings.layer_picture == brain_choice.OWN
    settings.layer_picture = "_blocks.4"
    assert settings.layers == "_blocks.4"
    settings.layers = "_blocks.4=2, _blocks.12"
    assert settings.layer_picture == brain_choice.MIXTURE
    settings.layer_picture = brain_choice.OWN
    assert settings.layers == ""


def test_every_layer_of_the_built_in_brain_has_a_picture(users: Path) -> None:
    brain = known_brains.known_brains()["lite0"]
    assert brain.is_pictured
    assert brain.portrait.is_file()


def test_layers_are_mixed_by_their_pictures(settings: Any, users: Path) -> None:
    settings.layers = "_blocks.9"
    bpy.ops.deepdream.mix_layer(layer="_blocks.4", weight=0.5)
    assert settings.layers == "_blocks.9, _blocks.4=0.5"
    bpy.ops.deepdream.mix_layer(layer="_blocks.9", weight=0)
    assert settings.layers == "_blocks.4=0.5"


def test_another_brain_has_other_layers(settings: Any, users: Path) -> None:
    info = BrainInfo("tiny", "0" * 64, "Tiny", "CC0", ("a", "b/c"), (("b/c", 1.0),))
    known_brains.learn(BrainDetails(info, "net", (Layer("a", 1, 1, ""), Layer("b/c", 1, 1, "eyes"))), users)
    known_brains.known_brains.cache_clear()
    settings.layers = "_blocks.4"
    settings.brain_picture = "tiny"
    assert (settings.brain, settings.layers) == ("tiny", "")
    settings.layer_picture = "b/c"
    assert settings.layers == "b/c"


def test_a_brain_that_nobody_knows_keeps_its_name(settings: Any, users: Path) -> None:
    settings.brain, settings.layers = "elsewhere", "conv9"
    assert settings.brain_picture == "elsewhere"
    assert settings.layer_picture == brain_choice.MIXTURE
    assert settings.layers == "conv9"


def test_damaged_knowledge_is_passed_over(settings: Any, users: Path) -> None:
    (users / "broken").mkdir()
    (users / "broken" / "brain.json").write_text("{")
    assert list(known_brains.known_brains()) == ["lite0"]


def test_a_brain_that_was_trained_anew_loses_its_old_pictures(users: Path) -> None:
    layers = (Layer("a", 1, 1, ""),)
    first = known_brains.learn(BrainDetails(BrainInfo("t", "0" * 64, "T", "", ("a",), ()), "net", layers), users)
    first.picture("a").write_bytes(b"old")
    same = known_brains.learn(first.details, users)
    assert same.is_pictured
    other = BrainDetails(BrainInfo("t", "1" * 64, "T", "", ("a",), ()), "net", layers)
    assert not known_brains.learn(other, users).is_pictured


def test_the_server_tells_of_its_brains(users: Path) -> None:
    events = list(picturing.look_at_brains(lambda: connect(ServerChoice()), 0.1))
    assert events[0].text == "Asking the dream server"
    assert "lite0" in known_brains.known_brains()


def test_a_brains_name_leads_nowhere_else(users: Path, tmp_path: Path) -> None:
    root = tmp_path / "brains"
    beside = tmp_path / "artists.jpg"
    beside.write_bytes(b"art")
    about = BrainDetails(BrainInfo("..", "0" * 64, "T", "", ("a",), ()), "net", (Layer("a", 1, 1, ""),))
    assert known_brains.learn(about, root).folder.parent == root
    assert beside.exists()
    assert not (tmp_path / "brain.json").exists()
