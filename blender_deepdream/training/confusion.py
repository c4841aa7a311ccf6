# SPDX-License-Identifier: GPL-3.0-or-later
"""What a brain takes for what: its confusion matrix as a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..engine.contact_sheet import BRIGHT, GROUND, MARGIN, QUIET
from .history import EpochReport
from .plate import SIZE, TESTED, drawn, ink, plate, quiet_axes

MAX_SHOWN = 24
"""Classes, at most: of more, those with the most mistakes."""

MAX_LABEL = 18
HEAD = 92

_RAMP = LinearSegmentedColormap.from_list("ground to amber", [ink((32, 32, 35)), ink((124, 82, 46)), ink(TESTED)])


def draw_confusion(report: EpochReport, classes: tuple[str, ...], title: str) -> Pillow.Image:
    """RGB, sRGB; its size by the number of classes. Rows are what a picture shows, columns what it is taken for; each
    row's shade is a share of its pictures."""
    counts = np.array(report.confusion, np.int64)
    shown = most_mistaken(counts, MAX_SHOWN)
    cell = max(34, min(72, 900 // len(shown)))
    labels = [_short(classes[place]) for place in shown]
    beside = MARGIN + 8 * max(map(len, labels)) + 12
    side = cell * len(shown)
    width, height = max(side + beside + MARGIN, 660), HEAD + beside + side + MARGIN
    figure = plate(width, height, title, _words(report, counts, len(shown)))
    axes = figure.add_axes((beside / width, MARGIN / height, side / width, side / height))
    _draw(axes, counts, shown, labels)
    return drawn(figure)


def most_mistaken(counts: NDArray[np.int64], most: int) -> list[int]:
    """The classes with the most mistakes, from or to them, at most so many, in their own order."""
    wrong = counts.sum(0) + counts.sum(1) - 2 * counts.diagonal()
    return sorted(np.argsort(-wrong, kind="stable")[:most].tolist())


def _words(report: EpochReport, counts: NDArray[np.int64], shown: int) -> str:
    right = f"{counts.diagonal().sum()} of {counts.sum()} new pictures right"
    which = f"   ·   the {shown} of {len(counts)} classes with the most mistakes" if shown < len(counts) else ""
    return f"epoch {report.epoch}   ·   {right}{which}   ·   rows: what it is, columns: what it is taken for"


def _draw(axes: Axes, counts: NDArray[np.int64], shown: list[int], labels: list[str]) -> None:
    part = counts[np.ix_(shown, shown)]
    shares = part / np.maximum(counts[shown].sum(1, keepdims=True), 1)
    axes.pcolormesh(shares, cmap=_RAMP, vmin=0, vmax=1, edgecolors=[ink(GROUND)], linewidth=1.5)
    axes.invert_yaxis()
    quiet_axes(axes)
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(shown)) + 0.5, labels, rotation=90, parse_math=False)
    axes.set_yticks(np.arange(len(shown)) + 0.5, labels, parse_math=False)
    for row, column in zip(*part.nonzero(), strict=True):
        strong = shares[row, column] > 0.6
        color = GROUND if strong else BRIGHT if row == column else QUIET
        axes.text(
            column + 0.5, row + 0.5, str(part[row, column]), ha="center", va="center", color=ink(color), fontsize=SIZE
        )


def _short(name: str) -> str:
    return name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"
