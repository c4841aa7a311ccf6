# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.errors import InputError
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.class_sheet import class_sheets
from blender_deepdream.training.clusters import cluster, silhouette
from blender_deepdream.training.training_data import TrainingData, open_training_data

from .small_pictures import save_picture


def clouds(centres: int, each: int, spread: float = 0.3) -> tuple[torch.Tensor, np.ndarray]:
    """Points about some centres in 40 dimensions, shuffled, and which of them they belong to."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(centres).repeat(each)
    middles = torch.randn(centres, 40, generator=generator)
    return middles[labels] + spread * torch.randn(len(labels), 40, generator=generator), labels.numpy()


def agree(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two ways to sort are the same but for the names."""
    return len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(set(first)) == len(set(second))


@pytest.mark.parametrize("centres", [2, 5, 9])
def test_clusters_and_their_number_are_found(centres: int):
    points, labels = clouds(centres, 20)
    assert agree(cluster(points, 0, seed=3), labels)


def test_as_many_as_are_asked_for_the_largest_first():
    points, labels = clouds(6, 10)
    keep = np.flatnonzero((labels != 2) | (np.arange(len(labels)) < 40))
    found = cluster(points[keep], 6, seed=0)
    sizes = np.bincount(found)
    assert len(sizes) == 6
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_no_cluster_has_one_picture():
    points, _ = clouds(3, 10)
    points[0] += 50
    assert np.bincount(cluster(points, 4, seed=0)).min() > 1


def test_pictures_that_are_all_the_same_are_one_cluster():
    assert set(cluster(torch.ones(12, 8), 0, seed=0)) == {0}


def test_a_silhouette_is_rousseeuws():
    points = torch.tensor([[0.0], [1], [10], [11], [12]])
    labels = torch.tensor([0, 0, 1, 1, 1])
    # by hand: (b - a) / b of each
    expected = np.mean([10 / 11, 9 / 10, (9.5 - 1.5) / 9.5, (10.5 - 1) / 10.5, (11.5 - 1.5) / 11.5])
    assert silhouette(torch.cdist(points, points), labels) == pytest.approx(expected)


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 reddish, 10 greenish and 8 bluish pictures without folders."""
    folder = tmp_path_factory.mktemp("flat")
    for kind, count in enumerate((12, 10, 8)):
        for seed in range(count):
            save_picture(folder / f"{'rgb'[kind]}{seed}.png", seed, kind=kind)
    return folder


def opened(folder: Path, caches: Path, base: Brain, **changes: int) -> TrainingData:
    recipe = Recipe().replace(side=32, batch=6, **changes)
    return finish(open_training_data(folder, recipe, torch.device("cpu"), caches, lambda: base))


def blind(x: torch.Tensor, layers: Collection[str]) -> dict[str, torch.Tensor]:
    raise AssertionError("nothing new to see")


def test_a_flat_folder_is_sorted_by_what_the_base_brain_sees(flat: Path, caches: Path):
    brain = load_brain("lite0")
    data = opened(flat, caches, brain, clusters=3)
    assert data.classes == ("cluster-1", "cluster-2", "cluster-3")
    sorted_into = [[p.path.name[0] for p in data.dataset.pictures if p.label == label] for label in range(3)]
    assert sorted(map(set, sorted_into), key=min) == [{"b"}, {"g"}, {"r"}]
    # and what was found is kept
    again = opened(flat, caches, Brain(brain.card, blind, brain.device), clusters=3)
    assert again.fingerprint == data.fingerprint


def test_each_cluster_has_a_sheet(flat: Path, caches: Path):
    data = opened(flat, caches, load_brain("lite0"), clusters=3)
    sheets = dict(class_sheets(data))
    assert list(sheets) == list(data.classes)
    reds = [
        name
        for name, sheet in sheets.items()
        if np.asarray(sheet)[..., 0].mean() > np.asarray(sheet)[..., 2].mean() + 5
    ]
    blues = [
        name
        for name, sheet in sheets.items()
        if np.asarray(sheet)[..., 2].mean() > np.asarray(sheet)[..., 0].mean() + 5
    ]
    assert (len(reds), len(blues)) == (1, 1)


def test_more_clusters_than_pictures_are_refused(flat: Path, caches: Path):
    with pytest.raises(InputError, match="30 pictures cannot be sorted into 16 classes"):
        opened(flat, caches, load_brain("lite0"), clusters=16)
