# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from blender_deepdream.engine.steps import finish
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.census import Census, census
from blender_deepdream.training.training_data import open_training_data

RECIPE = Recipe().replace(side=32, batch=6, epochs=10)


@pytest.fixture(scope="module")
def found(pictures: Path, tmp_path_factory: pytest.TempPathFactory, caches: Path) -> Census:
    folder = tmp_path_factory.mktemp("census") / "set"
    shutil.copytree(pictures, folder)
    shutil.copy(folder / "moss" / "00.png", folder / "sky" / "again.png")
    for number in range(5):
        (folder / "rust" / f"note-{number}.txt").write_text(f"{number}")
    return census(finish(open_training_data(folder, RECIPE, torch.device("cpu"), caches)), RECIPE, 30.0)


def test_it_counts(found: Census):
    assert found.counts == {"moss": 12, "rust": 8, "sky": 5}
    assert (found.train, found.validation) == (21, 4)
    assert found.unevenness == pytest.approx(2.4)
    assert found.seconds == 4 * 10 * 30


def test_what_was_left_out_is_named_up_to_three_of_each(found: Census):
    assert found.left_out["no image"] == (5, ("rust/note-0.txt", "rust/note-1.txt", "rust/note-2.txt"))
    count, (example,) = found.left_out["there already"]
    assert count == 1
    assert example.startswith("sky/again.png: the same as")


def test_it_reads_well(found: Census):
    text = "\n".join(found.lines())
    assert "25 pictures in 3 classes:" in text
    assert "sky        5   few: hard to learn" in text
    assert "Left out, no image: 5 (rust/note-0.txt, rust/note-1.txt, rust/note-2.txt, ...)" in text
    assert text.endswith("This takes about 20 minutes.")


def test_uneven_classes_are_said(found: Census):
    uneven = Census({"a": 90, "b": 20}, 90, 20, {}, True, None)
    assert "4.5 times the pictures of the smallest; each class is shown equally often" in "\n".join(uneven.lines())
    assert "Uneven" not in "\n".join(found.lines())


def test_it_is_json(found: Census):
    assert json.loads(json.dumps(found.to_json()))["counts"] == {"moss": 12, "rust": 8, "sky": 5}
