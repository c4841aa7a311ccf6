# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain of your own pictures, from a brain that sees already. Read this first.

The base brain's network gets a new head and learns to tell the pictures' classes apart: stochastic gradient descent on
pictures that are distorted anew each time (`training_data`), against small perturbations of each (`clarity`), under a
falling rate (`schedule`). The moving average of its weights (`averaging`) is the brain. The founding article's recipe,
J. T. Nimoy, "Deepdream: Avoiding Kitsch", 2015, and what makes its dreams clear, Engstrom et al., 2019.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import torch

from ..engine.brain_file import Contents
from ..protocol.recipe import Recipe
from .distributed import ALONE, Group
from .learner import Diverged
from .lessons import Lessons
from .reports import Epoch, Measuring, Notice, StepReport
from .run import Run
from .trained import Trained


def finetune(
    base: Contents,
    data: Lessons,
    recipe: Recipe,
    folder: Path,
    *,
    name: str = "own",
    device: torch.device | str = "cpu",
    group: Group = ALONE,
) -> Generator[StepReport | Measuring | Notice | Epoch, None, Trained]:
    """Train a brain: yields after every step, every epoch and on the way of measuring, then returns it.

    base: what the base brain is made of; the recipe's `base` is only its name. folder: where checkpoints, the best
    brain so far and the history of epochs lie; a training that has begun there is gone on with and ends with the same
    brain, bit for bit on a CPU. name: of the brain. group: the processes that share the work.
    Close it to stop: within a step, with a checkpoint, and `trained.kept` then has the best brain so far.
    Raises InputError for a checkpoint of another training, BrainFileError for a base that cannot learn, SettingsError
    for a recipe that does not go with it or does not come to anything, StorageError, OutOfMemoryError.
    """
    run = Run(base, data, recipe, folder, name, torch.device(device), group)
    for said in run.begin():
        yield Notice(said)
    try:
        while not run.is_over:
            try:
                for batch in data.batches(*run.place, group.share):
                    yield run.step(batch)
                yield (yield from run.end_epoch())
            except Diverged:
                yield run.set_back()
    except GeneratorExit:
        run.pause()
        raise
    return (yield from run.result())
