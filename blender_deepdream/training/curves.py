# SPDX-License-Identifier: GPL-3.0-or-later
"""How a brain learns, as two small pictures side by side: what it gets right, and its loss, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image as Pillow

from ..engine.contact_sheet import GROUND
from .history import EpochReport
from .plate import LEARNT, ROBUST, RULE, SIZE, TESTED, drawn, ink, plate, quiet_axes

WIDTH, HEIGHT = 1120, 460


class Curve(NamedTuple):
    """values: by epoch; None where there is none. color: sRGB, 0 to 255."""

    name: str
    values: Sequence[float | None]
    color: tuple[int, int, int]


def draw_curves(reports: Sequence[EpochReport], title: str) -> Pillow.Image:
    """RGB, sRGB, `WIDTH` x `HEIGHT`. reports: one or more, in order."""
    figure = plate(WIDTH, HEIGHT, title, _words(reports))
    right, loss = (figure.add_axes((left, 0.11, 0.35, 0.62)) for left in (0.06, 0.56))
    chance = 1 / max(1, len(reports[-1].confusion))
    _draw(right, reports, _accuracies(reports), "right")
    right.axhline(chance, color=ink(RULE), linewidth=1, zorder=1)
    right.annotate(
        "chance", (1, chance), (-2, 3), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
        color=ink(LEARNT), fontsize=SIZE - 1.5,
    )  # fmt: skip
    right.set_ylim(0, 1)
    right.yaxis.set_major_formatter(PercentFormatter(1, 0))
    _draw(loss, reports, _losses(reports), "loss")
    return drawn(figure)


def best_of(reports: Sequence[EpochReport]) -> EpochReport:
    """The epoch whose weights are the brain; where no report says so, the one with the most new pictures right, and
    among equals the least loss."""
    kept = [report for report in reports if report.best]
    if kept:
        return kept[-1]
    return max(reports, key=lambda report: (report.validation_accuracy, -_or_infinite(report.validation_loss)))


def _words(reports: Sequence[EpochReport]) -> str:
    best = best_of(reports)
    robust = "" if best.robust_accuracy is None else f", {best.robust_accuracy:.0%} of them perturbed"
    seconds = sum(report.seconds for report in reports)
    spent = f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
    right = f"{best.validation_accuracy:.0%} of new pictures right{robust}"
    epochs = "1 epoch" if len(reports) == 1 else f"{len(reports)} epochs"
    return f"{epochs} in {spent}   ·   the brain: epoch {best.epoch}, {right}"


def _accuracies(reports: Sequence[EpochReport]) -> list[Curve]:
    robust = [report.robust_accuracy for report in reports]
    curves = [
        Curve("learnt", [report.train_accuracy for report in reports], LEARNT),
        Curve("perturbed", robust, ROBUST),
        Curve("new", [report.validation_accuracy for report in reports], TESTED),
    ]
    return [curve for curve in curves if any(value is not None for value in curve.values)]


def _losses(reports: Sequence[EpochReport]) -> list[Curve]:
    return [
        Curve("learnt", [report.train_loss for report in reports], LEARNT),
        Curve("new", [report.validation_loss for report in reports], TESTED),
    ]


def _draw(axes: Axes, reports: Sequence[EpochReport], curves: Sequence[Curve], name: str) -> None:
    quiet_axes(axes)
    axes.set_title(name, loc="left", color=ink(LEARNT), fontsize=SIZE, pad=12)
    axes.grid(axis="y", color=ink(RULE), linewidth=0.7)
    axes.set_axisbelow(True)
    epochs = [report.epoch for report in reports]
    best = reports.index(best_of(reports))
    for curve in curves:
        values = [math.nan if value is None else value for value in curve.values]
        axes.plot(epochs, values, _style(len(epochs)), color=ink(curve.color), linewidth=2, solid_capstyle="round")
        if curve.color == TESTED:
            axes.plot(epochs[best], values[best], "o", color=ink(TESTED), markeredgecolor=ink(GROUND), markersize=8)
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)
    axes.set_xlim(first - 0.02 * (last - first), last)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    _name_ends(axes, curves)


def _style(epochs: int) -> str:
    return "-" if epochs > 1 else "o"


def _name_ends(axes: Axes, curves: Sequence[Curve]) -> None:
    """The curves' names at their right ends, none on another."""
    ends = [(next((value for value in reversed(curve.values) if _is_number(value)), None), curve) for curve in curves]
    low, high = axes.get_ylim() if axes.get_title(loc="left") == "loss" else (0.0, 1.0)
    axes.set_ylim(low, high)
    place = -math.inf
    for value, curve in sorted((value, curve) for value, curve in ends if value is not None):
        # in the axes' own measure; type of this size needs about a fourteenth of their height
        place = max(place + 0.075, (value - low) / (high - low))
        axes.text(1.03, place, curve.name, color=ink(curve.color), fontsize=SIZE, va="center", transform=axes.transAxes)


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _or_infinite(value: float) -> float:
    return value if math.isfinite(value) else math.inf
