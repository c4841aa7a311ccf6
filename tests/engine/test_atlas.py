# SPDX-License-Identifier: GPL-3.0-or-later
import io

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from blender_deepdream.engine import atlas as module
from blender_deepdream.engine.atlas import Cell, atlas, middle_square, strongest_channels, usual_source
from blender_deepdream.engine.cell_cache import CellCache
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.nothing import named
from blender_deepdream.protocol.errors import (
    ImageError,
    InputError,
    SettingsError,
    UnknownLayerError,
)
from blender_deepdream.protocol.messages import ColorSpace, Progress


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Cells of a moment: what they show does not matter here."""
    monkeypatch.setattr(module, "DREAM_SIDE", 32)
    monkeypatch.setattr(module, "_RECIPES", ((float("inf"), module.Recipe({"steps": 2, "octaves": 2}, 4 / 3)),))


@pytest.fixture
def dusk() -> Image:
    image = named("dusk:64x48", 0)
    assert image is not None
    return image


def news(steps) -> tuple[list[Progress], list[Cell]]:
    told = list(steps)
    return [item for item in told if isinstance(item, Progress)], [item for item in told if isinstance(item, Cell)]


def pixels(cell: Cell) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(cell.jpeg)))


def test_a_cell_for_each_layer_early_to_late(brain, dusk):
    progress, cells = news(atlas(brain, dusk, size=32))
    assert [cell.layer for cell in cells] == [layer.name for layer in brain.card.layers]
    assert (cells[9].title, cells[9].note) == ("_blocks.9", "112 channels")
    assert cells[9].caption == brain.card.layer("_blocks.9").dreams
    assert all(pixels(cell).shape == (32, 32, 3) for cell in cells)
    assert len({cell.jpeg for cell in cells}) == 16
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions)
    assert fractions[0] > 0
    assert fractions[-1] == pytest.approx(1)
    assert all(step.eta is not None and step.eta >= 0 for step in progress)


def test_the_same_bytes_again_kept_or_new(brain, dusk, tmp_path):
    wanted = ["_blocks.4", "_blocks.0"]
    cache = CellCache(tmp_path)
    _, new = news(atlas(brain, dusk, wanted, size=32))
    _, first = news(atlas(brain, dusk, wanted, size=32, cache=cache))
    steps, kept = news(atlas(brain, dusk, wanted, size=32, cache=cache))
    assert new == first == kept
    assert [cell.layer for cell in kept] == wanted
    assert steps == []


def test_another_source_size_or_brain_is_another_cell(brain, dusk, tmp_path):
    cache = CellCache(tmp_path)
    other = Image(dusk.pixels + np.float32(0.01), ColorSpace.SRGB)
    for source, size in ((dusk, 32), (other, 32), (dusk, 33)):
        steps, _ = news(atlas(brain, source, ["_blocks.0"], size=size, cache=cache))
        assert steps
    assert len(list(tmp_path.iterdir())) == 3


def test_a_cancelled_atlas_keeps_the_finished_cells(brain, dusk, tmp_path):
    wanted = ["_blocks.0", "_blocks.1", "_blocks.2"]
    steps = atlas(brain, dusk, wanted, size=32, cache=CellCache(tmp_path))
    while not isinstance(next(steps), Cell):
        pass
    next(steps)
    steps.close()
    assert len(list(tmp_path.iterdir())) == 1
    told = list(atlas(brain, dusk, wanted, size=32, cache=CellCache(tmp_path)))
    assert isinstance(told[0], Cell), "the first is there at once"
    assert sum(isinstance(item, Cell) for item in told) == 3


def test_channels_of_a_layer(brain, dusk):
    progress, cells = news(atlas(brain, dusk, ["_blocks.4"], channels=3, size=32))
    assert len({cell.layer for cell in cells}) == 3
    assert all(cell.layer == f"_blocks.4:{cell.title.removeprefix('channel ')}" for cell in cells)
    rises = [float(cell.caption.split()[0]) for cell in cells]
    assert rises == sorted(rises, reverse=True)
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_classes_by_name(brain, dusk, monkeypatch):
    monkeypatch.setattr(module, "_CLASS_RECIPE", module._RECIPES[0][1])
    _, (cell, other) = news(atlas(brain, dusk, ["class:peacock+tench", "class:castle"], size=32))
    assert (cell.layer, cell.title, cell.note) == ("class:peacock+tench", "peacock + tench", "")
    assert cell.jpeg != other.jpeg


def test_the_usual_source_is_one_for_all():
    first, again, other = usual_source(), usual_source("dusk"), usual_source("clouds")
    assert first.pixels.tobytes() == again.pixels.tobytes() != other.pixels.tobytes()
    with pytest.raises(ImageError, match="dusk"):
        usual_source("smoke")


def test_strong_is_not_loud(brain, monkeypatch):
    """Channel 1 rises ten times its deviation, channel 0 a hundredth of its own, channel 2 is dead."""
    torch.manual_seed(0)
    noise = torch.randn(3, 400) * torch.tensor([[1000.0], [1.0], [0.0]])
    before, after = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    rise = torch.tensor([[10.0], [10.0], [0.0]])
    monkeypatch.setattr(module, "_answers", lambda _brain, _layer, picture: noise + rise * picture.mean())
    (first, by), (second, _), (last, none) = strongest_channels(brain, "_blocks.4", before, after, 3)
    assert (first, second, last, none) == (1, 0, 2, 0)
    assert by == pytest.approx(10, rel=0.2)


def test_the_middle_of_a_source_of_any_kind():
    pixels = np.zeros((4, 10, 4), np.float32)
    pixels[:, 3:7] = 1
    assert middle_square(Image(pixels), torch.device("cpu")).min() > 0.999
    grey = np.full((9, 3, 1), np.nan, np.float32)
    assert middle_square(Image(grey), torch.device("cpu")).shape == (1, 3, 3, 3)


@pytest.mark.parametrize(
    ("layers", "more", "error", "said"),
    [
        (["_blocks.99"], {}, UnknownLayerError, "_blocks.9"),
        (["class:unicorn"], {}, UnknownLayerError, "no class 'unicorn'"),
        (["squeezenet::fire5"], {}, InputError, "another brain"),
        (["_blocks.4", "_blocks.5:80"], {}, UnknownLayerError, "0 to 79"),
        ([], {"channels": 3}, InputError, "one layer"),
        (["_blocks.4", "_blocks.5"], {"channels": 3}, InputError, "one layer"),
        (["_blocks.4"], {"channels": 0}, InputError, "1 to"),
        (["_blocks.4"], {"channels": 41}, SettingsError, "40 channels"),
        (["_blocks.4:3"], {"channels": 2}, InputError, "already"),
        (["_blocks.4"], {"size": 8}, InputError, "32 to"),
        (["_blocks.4"] * 600, {}, InputError, "512"),
    ],
)
def test_what_cannot_be_shown_is_said_before_anything_is_dreamed(brain, dusk, layers, more, error, said):
    with pytest.raises(error, match=said):
        next(atlas(brain, dusk, layers, **{"size": 32} | more))
