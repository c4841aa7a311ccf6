# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import SettingsError, StorageError
from blender_deepdream.protocol.look import DEFAULTS, LOOK_KNOBS, MAX_BYTES, Look, read_look, write_look

SHIPPED = Path(__file__).parents[2] / "blender_deepdream" / "addon" / "look_files"


def look(**settings: object) -> dict[str, object]:
    return {"look": 1, "name": "Glass", "brain_title": "Lite", "settings": settings}


def test_a_look_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "glass.json"
    told = Look.from_json(look(brain="mine", layers="_blocks.4=1..0, _blocks.9", steps=12))
    write_look(told, path)
    assert read_look(path) == told
    assert json.loads(path.read_text())["settings"] == {
        "brain": "mine",
        "layers": "_blocks.4=1..0, _blocks.9",
        "steps": 12,
    }


def test_what_a_file_leaves_out_is_the_default() -> None:
    assert Look.from_json(look()).settings == DEFAULTS


def test_a_look_leaves_the_seed_and_the_shot_alone() -> None:
    assert not {"seed", "tile", "precision", "exposure", "coherence"} & set(LOOK_KNOBS)
    with pytest.raises(SettingsError, match="seed"):
        Look.from_json(look(seed=3))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"look": 2, "name": "", "settings": {}},
        {"look": 1, "name": "", "settings": []},
        {"look": 1, "settings": {}},
        {"look": 1, "name": "x" * 121, "settings": {}},
        {"look": 1, "name": "a\nb", "settings": {}},
        look(steps=0),
        look(steps="many"),
        look(layers=["_blocks.4"]),
        look(layers="_blocks.4=x"),
        look(brain=""),
        look(nonsense=1),
    ],
)
def test_what_is_no_look_is_refused(data: object) -> None:
    with pytest.raises(SettingsError):
        Look.from_json(data)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b" " * (MAX_BYTES + 1)])
def test_a_file_that_is_no_look_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "look.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError):
        read_look(path)


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_look(tmp_path / "none.json")
    with pytest.raises(StorageError):
        write_look(Look.from_json(look()), tmp_path / "none" / "look.json")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda path: path.stem)
def test_looks_that_come_along_are_whole(path: Path) -> None:
    assert read_look(path).settings["brain"] == "lite0"
    assert path.with_suffix(".jpg").is_file()
    assert (Path(__file__).parents[2] / "docs" / "pictures" / "presets" / f"{path.stem}.jpg").is_file()
