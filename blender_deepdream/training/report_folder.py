# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training leaves for its artist to look at: pictures, and what it has to say, in a folder beside the brain."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image as Pillow

from ..engine.contact_sheet import encode_sheet
from ..engine.whole_files import write_bytes
from ..protocol.recipe import Recipe
from .census import census
from .class_sheet import class_sheets
from .history import write_history
from .session import Outcome, Pictures
from .training_data import TrainingData


def report_folder(brain: Path) -> Path:
    """The folder beside a brain's file."""
    return brain.with_name(f"{brain.stem}-training")


def write_pictures(folder: Path, pictures: Pictures) -> tuple[Path, ...]:
    """Curves, confusion matrix and dreams, each whole. Returns their files. Raises StorageError."""
    drawn = {"curves.png": pictures.curves, "confusion.png": pictures.confusion, "dreams.jpg": pictures.dreams}
    written = [(folder / name, picture) for name, picture in drawn.items() if picture is not None]
    for path, picture in written:
        write_bytes(path, encode_sheet(picture, path.suffix))
    return tuple(path for path, _ in written)


def write_data(folder: Path, data: TrainingData, recipe: Recipe) -> tuple[Path, ...]:
    """What there was to learn from, and what was left out and why; where the pictures were sorted, a sheet of each
    cluster. Raises StorageError."""
    counted, left_out = folder / "census.txt", folder / "left-out.txt"
    write_bytes(counted, "".join(f"{line}\n" for line in census(data, recipe).lines()).encode())
    write_bytes(left_out, "".join(f"{name}: {why}\n" for name, why in left_out_of(data)).encode())
    sheets = class_sheets(data) if data.dataset.was_sorted else ()
    return counted, left_out, *(_write_sheet(folder, name, sheet) for name, sheet in sheets)


def _write_sheet(folder: Path, name: str, sheet: Pillow.Image) -> Path:
    path = folder / f"{name}.jpg"
    write_bytes(path, encode_sheet(sheet, path.suffix))
    return path


def write_outcome(folder: Path, outcome: Outcome, recipe: Recipe) -> tuple[Path, ...]:
    """All of it. Raises StorageError."""
    history = folder / "history.jsonl"
    write_history(history, outcome.reports)
    return *write_pictures(folder, outcome.pictures), *write_data(folder, outcome.data, recipe), history


def left_out_of(data: TrainingData) -> tuple[tuple[str, str], ...]:
    """Files that are not learned from, below the folder, each with the reason."""
    folder = data.dataset.folder
    found = ((path.relative_to(folder).as_posix(), str(why), detail) for path, why, detail in data.dataset.left_out)
    # what a file is the same as lies in the folder, too
    return tuple(
        (name, f"{why}: {detail.replace(f'{folder}{os.sep}', '')}" if detail else why) for name, why, detail in found
    )
