# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground that a training's figures are drawn on, dark and quiet like the contact sheets' they stand beside."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image as Pillow

from ..engine.contact_sheet import BRIGHT, GROUND, MARGIN, QUIET

DPI = 100
RULE = (52, 52, 56)
"""Of lines that help the eye and are not looked at."""

LEARNT, TESTED, ROBUST = (128, 126, 124), (242, 166, 90), (111, 183, 201)
"""What it learns from, what it is tested with, and that perturbed."""

SIZE = 10
"""Of the type, in points."""

Color = tuple[float, float, float]


def ink(color: tuple[int, int, int]) -> Color:
    """An sRGB colour of 0 to 255 as matplotlib takes it."""
    red, green, blue = (level / 255 for level in color)
    return red, green, blue


def plate(width: int, height: int, title: str, subtitle: str) -> Figure:
    """An empty figure of so many pixels with its head, as `contact_sheet` writes it."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=ink(GROUND))
    place: dict[str, Any] = {"ha": "left", "va": "top", "parse_math": False}
    left = MARGIN / width
    figure.text(left, 1 - MARGIN / height, _one_line(title), color=ink(BRIGHT), fontsize=17, **place)
    figure.text(left, 1 - (MARGIN + 32) / height, _one_line(subtitle), color=ink(QUIET), fontsize=SIZE, **place)
    return figure


def quiet_axes(axes: Axes) -> None:
    """No box, no ticks: only what is drawn, and numbers beside it."""
    axes.set_facecolor(ink(GROUND))
    axes.tick_params(length=0, colors=ink(QUIET), labelsize=SIZE)
    for spine in axes.spines.values():
        spine.set_visible(False)


def drawn(figure: Figure) -> Pillow.Image:
    """The figure as a picture: RGB, sRGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib's own
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]  # matplotlib's own
    return Pillow.fromarray(pixels[..., :3].copy())


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 140 else f"{line[:139]}…"
