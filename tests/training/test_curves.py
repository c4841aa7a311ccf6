# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of how a brain learns: that they show what they are drawn from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from blender_deepdream.training.confusion import MAX_SHOWN, draw_confusion, most_mistaken
from blender_deepdream.training.curves import HEIGHT, WIDTH, best_of, draw_curves
from blender_deepdream.training.history import EpochReport
from blender_deepdream.training.plate import ROBUST, TESTED

REPORTS = tuple(
    EpochReport(epoch, 2 / epoch, 0.2 * epoch, 2.1 / epoch, 0.15 * epoch, 0.1 * epoch, ((3, 1), (0, 4)), 2.0)
    for epoch in range(1, 5)
)


def _share_of(picture: object, color: tuple[int, int, int]) -> float:
    return float((np.asarray(picture) == color).all(-1).mean())


def test_curves_have_their_colors() -> None:
    picture = draw_curves(REPORTS, "Mine")
    assert picture.size == (WIDTH, HEIGHT)
    assert _share_of(picture, TESTED) > 1e-3
    assert _share_of(picture, ROBUST) > 5e-4


def test_without_clarity_there_is_no_robust_curve() -> None:
    plain = [replace(report, robust_accuracy=None) for report in REPORTS]
    assert _share_of(draw_curves(plain, "Mine"), ROBUST) == 0


@pytest.mark.parametrize("reports", [REPORTS[:1], [replace(REPORTS[0], train_loss=math.nan, validation_loss=math.inf)]])
def test_curves_of_one_epoch_and_of_losses_that_are_no_numbers(reports: list[EpochReport]) -> None:
    assert _share_of(draw_curves(reports, "A name\nof $two lines$"), TESTED) > 0


def test_the_best_epoch_is_the_one_with_the_most_right_and_then_the_least_loss() -> None:
    assert best_of(REPORTS).epoch == 4
    assert best_of([*REPORTS, replace(REPORTS[3], epoch=5, validation_loss=0.1)]).epoch == 5
    assert best_of([*REPORTS, replace(REPORTS[3], epoch=5, validation_loss=math.nan)]).epoch == 4


def test_the_training_itself_says_which_epoch_is_the_brain() -> None:
    assert best_of([replace(report, best=report.epoch < 3) for report in REPORTS]).epoch == 2


def test_a_confusion_matrix_is_bright_where_pictures_are_taken_for_what_they_are() -> None:
    right = draw_confusion(replace(REPORTS[0], confusion=((9, 0), (0, 9))), ("a", "b"), "Mine")
    wrong = draw_confusion(replace(REPORTS[0], confusion=((0, 9), (0, 0))), ("a", "b"), "Mine")
    assert _share_of(right, TESTED) == pytest.approx(2 * _share_of(wrong, TESTED), rel=0.05)


def test_of_many_classes_the_most_mistaken_are_shown() -> None:
    counts = np.diag(np.full(60, 5))
    counts[40, 7] = 3
    assert most_mistaken(counts, 2) == [7, 40]
    rows = tuple(map(tuple, counts.tolist()))
    picture = draw_confusion(replace(REPORTS[0], confusion=rows), tuple(f"name {i} " * 20 for i in range(60)), "Mine")
    assert max(picture.size) < 60 * MAX_SHOWN
