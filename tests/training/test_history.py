# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError
from blender_deepdream.training.history import EpochReport, read_history, write_history

REPORT = EpochReport(1, 2.0, 0.25, 1.5, 0.5, None, ((3, 1), (2, 2)), 12.5)


def test_a_history_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    reports = (REPORT, replace(REPORT, epoch=2, robust_accuracy=0.25, said="half the rate"))
    assert read_history(path) == ()
    write_history(path, reports)
    assert read_history(path) == reports
    assert len(path.read_text().splitlines()) == 2


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, [replace(REPORT, train_loss=math.inf)])
    assert math.isnan(read_history(path)[0].train_loss)


@pytest.mark.parametrize("text", ["{}\n", "[]\n", "{\n", '{"epoch": 1}\n', "\xff", "[" * 100_000])
def test_a_file_that_is_no_history(tmp_path: Path, text: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="no training's history"):
        read_history(path)
