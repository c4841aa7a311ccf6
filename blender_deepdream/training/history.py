# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training has come to, epoch by epoch: all that its pictures are drawn from, in a file with a line for each."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.whole_files import write_bytes
from ..protocol.errors import InputError

Counts = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch, counted from 1. Losses are means; accuracies shares, 0 to 1; robust_accuracy, of pictures that were
    perturbed, is None where nobody asked. confusion: how many validation pictures of each class (rows) were taken for
    each (columns). seconds: how long the epoch took. said: what the artist should know of it, if anything. best:
    whether its averaged weights became the brain, so far.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    robust_accuracy: float | None
    confusion: Counts
    seconds: float
    said: str = ""
    best: bool = False

    def to_json(self) -> dict[str, Any]:
        """Numbers that are none become null: JSON has no infinity."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["confusion"] = [list(row) for row in self.confusion]
        return {name: _finite(value) for name, value in plain.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EpochReport:
        """Raises KeyError, TypeError, ValueError for what is none."""
        measured = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
        train_loss, train_accuracy, loss, accuracy = (_number(data[name]) for name in measured)
        robust, counts = data["robust_accuracy"], tuple(tuple(map(int, row)) for row in data["confusion"])
        return cls(
            epoch=int(data["epoch"]),
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=loss,
            validation_accuracy=accuracy,
            robust_accuracy=None if robust is None else float(robust),
            confusion=counts,
            seconds=float(data["seconds"]),
            said=str(data.get("said", "")),
            best=bool(data.get("best", False)),
        )


def write_history(path: Path, reports: Sequence[EpochReport]) -> None:
    """One line of JSON an epoch; whole or as it was. Raises StorageError."""
    write_bytes(path, "".join(f"{json.dumps(report.to_json(), allow_nan=False)}\n" for report in reports).encode())


def read_history(path: Path) -> tuple[EpochReport, ...]:
    """What `write_history` wrote; nothing where there is no such file. Raises InputError for a damaged one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    try:
        return tuple(EpochReport.from_json(json.loads(line)) for line in lines)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is no training's history.", f"Delete the folder {path.parent} to train anew.")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
