# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a long shot drifts: an orbit that goes on, its frames dreamed one after the other.

Brightness and contrast are those of the dreamed picture beside the render's, which shows something else in every frame;
strength and fine detail are those of the dream. All are printed beside what they are at frame 10, and so are those of
frames that dream alone.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from benchmark_coherence import Frame, dream_alone, eight_bits, fine_energy, ours, read_shot, render_shot
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.settings import DreamSettings

FIRST = 10
WIDTH = 240
AROUND = 5
"""Frames on each side over which numbers are averaged: a single frame is as loud as what it happens to see."""

Table = dict[str, dict[str, dict[str, float]]]
"""Numbers by "ours" or "alone", frame and name."""


@dataclass(frozen=True)
class Look:
    """What is compared. brightness, contrast: of the picture, beside the render's."""

    brightness: float
    contrast: float
    strength: float
    fine: float


def compare(folder: Path, count: int, pictures: Path | None) -> Table:
    """folder: where the shot lies, or is rendered to. pictures: a folder for frames 10, in the middle and last."""
    folder = folder / "long"
    render_shot(folder, "orbit", count, WIDTH)
    frames = read_shot(folder / "orbit", count)
    brain, settings = load_brain("lite0"), DreamSettings()
    details = ours(frames, brain, settings)
    middles = [FIRST, *range(30, count - AROUND, 30), count - AROUND]
    wanted = sorted({number for middle in middles for number in range(middle - AROUND, middle + AROUND + 1)})
    alone = {number: dream_alone(frames[number - 1].image, brain, settings) for number in wanted}
    if pictures:
        write_pictures(pictures, frames, details, [FIRST, count // 2, count])
    return {
        "ours": _beside_first({number: details[number - 1] for number in wanted}, frames, middles),
        "alone": _beside_first(alone, frames, middles),
    }


def _beside_first(
    details: dict[int, Tensor], frames: Sequence[Frame], middles: Sequence[int]
) -> dict[str, dict[str, float]]:
    looks = {number: _look(detail, frames[number - 1].picture) for number, detail in details.items()}

    def around(middle: int, name: str) -> float:
        return math.fsum(getattr(looks[number], name) for number in range(middle - AROUND, middle + AROUND + 1))

    names = Look.__dataclass_fields__
    return {str(middle): {name: around(middle, name) / around(FIRST, name) for name in names} for middle in middles}


def _look(detail: Tensor, render: Tensor) -> Look:
    dreamt = (render + detail).clamp(0, 1)
    return Look(
        brightness=float(dreamt.mean() / render.mean()),
        contrast=float(dreamt.mean(dim=1).std() / render.mean(dim=1).std()),
        strength=float(detail.abs().mean()),
        fine=fine_energy(detail),
    )


def write_pictures(folder: Path, frames: Sequence[Frame], details: Sequence[Tensor], numbers: Sequence[int]) -> None:
    """drift.png: the frames of these numbers beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = [eight_bits(frames[number - 1].picture + details[number - 1]) for number in numbers]
    PIL.Image.fromarray(np.concatenate(shown, axis=1)).save(folder / "drift.png")


def as_text(table: Table) -> str:
    """A table for people."""
    lines = [f"{'beside frame ' + str(FIRST):16} " + " ".join(f"{name:>11}" for name in Look.__dataclass_fields__)]
    for name, rows in table.items():
        lines += [
            f"{name:6} {'at ' + number:9} " + " ".join(f"{part:11.3f}" for part in row.values())
            for number, row in rows.items()
        ]
    return "\n".join(lines)
