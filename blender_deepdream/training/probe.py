# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a training will take, found out by beginning it."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from pathlib import Path

import torch

from ..engine.brain_file import Contents
from ..protocol.recipe import Recipe
from .finetune import finetune
from .reports import StepReport
from .training_data import TrainingData

STEPS = 3


def seconds_per_step(base: Contents, data: TrainingData, recipe: Recipe, device: torch.device) -> float:
    """The quickest of a few steps after the first one, which warms up. Nothing is left of them.

    Raises what `finetune` raises.
    """
    with tempfile.TemporaryDirectory() as folder:
        steps = finetune(base, data, recipe.replace(epochs=1 + STEPS, patience=0), Path(folder), device=device)
        with contextlib.closing(steps):
            made = (time.monotonic() for news in steps if isinstance(news, StepReport))
            times = list(itertools.islice(made, 1 + STEPS))
    return min(after - before for before, after in itertools.pairwise(times))
