# SPDX-License-Identifier: GPL-3.0-or-later
"""The same source dreamed after each epoch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from blender_deepdream.engine.atlas import usual_source
from blender_deepdream.engine.lite0 import load_lite0
from blender_deepdream.engine.steps import finish
from blender_deepdream.training import dream_sheet
from blender_deepdream.training.dream_sheet import MAX_CELLS, SHARE, DreamSheet, _evenly
from blender_deepdream.training.history import EpochReport

LAYERS = (("_blocks.2", 1.0),)
REPORT = EpochReport(1, 2.0, 0.25, 1.5, 0.5, None, ((3, 1), (2, 2)), 12.5)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dream_sheet, "SETTINGS", {"octaves": 1, "steps": 1})


def _sheet(folder: Path, clock: Clock | None = None) -> DreamSheet:
    return DreamSheet(usual_source(), LAYERS, folder, torch.device("cpu"), clock or Clock())


def test_a_sheet_grows_and_is_taken_up_again(tmp_path: Path) -> None:
    brain, sheet = load_lite0(), _sheet(tmp_path)
    for epoch in (0, 1):
        finish(sheet.dream(brain, epoch))
    drawn = sheet.draw([REPORT], "Mine", "dusk")
    again = _sheet(tmp_path)
    again.find(range(5))
    assert len(again) == 2
    assert again.draw([REPORT], "Mine", "dusk").tobytes() == drawn.tobytes()
    assert not again.is_due(0)


def test_other_layers_are_another_dream(tmp_path: Path) -> None:
    finish(_sheet(tmp_path).dream(load_lite0(), 0))
    other = DreamSheet(usual_source(), (("_blocks.3", 1.0),), tmp_path, torch.device("cpu"))
    other.find([0])
    assert len(other) == 0


def test_dreams_take_their_share_of_the_time_and_no_more(tmp_path: Path) -> None:
    clock, brain = Clock(), load_lite0()
    sheet = _sheet(tmp_path, clock)
    assert sheet.is_due(0)
    for number, _ in enumerate(sheet.dream(brain, 0)):
        clock.now = float(number + 1)
    took = clock.now
    assert sheet.is_due(1), "the base brain's dream takes nothing from the others' share"
    for number, _ in enumerate(sheet.dream(brain, 1)):
        clock.now = took + number + 1
    assert not sheet.is_due(2)
    clock.now = 3 * took / SHARE
    assert sheet.is_due(2)


def test_long_trainings_show_epochs_from_the_first_to_the_last() -> None:
    chosen = _evenly(range(1000), MAX_CELLS)
    assert len(set(chosen)) == MAX_CELLS
    assert (chosen[0], chosen[-1]) == (0, 999)
    assert _evenly([1, 5], MAX_CELLS) == [1, 5]
