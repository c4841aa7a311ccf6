# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ..engine.brain import Brain
from .history import EpochReport


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step was made. epoch and step count from 1. loss, accuracy: of this step's batch, while it learned. rate: the
    head's. fraction, eta: of the whole training; seconds, None if unknown."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    rate: float
    fraction: float
    eta: float | None


@dataclass(frozen=True, slots=True)
class Measuring:
    """Some more pictures were looked at to measure how good an epoch's brain is. epoch: counts from 1. fraction: of the
    whole training."""

    epoch: int
    epochs: int
    fraction: float


class Notice(NamedTuple):
    """Something happened that the artist should know."""

    said: str


class Epoch(NamedTuple):
    """An epoch's report, and how to have its averaged weights as a brain that dreams: it takes a moment."""

    report: EpochReport
    brain: Callable[[], Brain]
