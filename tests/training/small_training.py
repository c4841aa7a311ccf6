# SPDX-License-Identifier: GPL-3.0-or-later
"""A training of seconds: a network of two convolutions learns stripes. Run as a program it trains in a folder to its
end, for tests that kill it on the way, or as one process of several."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import torch

from blender_deepdream.engine.brain import Preprocessing
from blender_deepdream.engine.brain_file import Contents
from blender_deepdream.engine.steps import follow
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.distributed import group_of_torchrun
from blender_deepdream.training.finetune import finetune
from blender_deepdream.training.reports import Measuring
from tests.engine.small_brains import DESCRIPTION, small_card, small_tensors

from .small_data import SIDE, SmallData

RECIPE = Recipe(side=SIDE, epochs=3, batch=8, average=0.5, clarity=0.5, learning_rate=0.3, lower_rate=1.0)


def small_base() -> Contents:
    """Small weights for values around zero: it learns from the first step on."""
    tensors = {name: tensor * 0.2 for name, tensor in small_tensors().items()}
    card = dataclasses.replace(small_card(), preprocessing=Preprocessing("RGB", 2.0, (1.0,) * 3))
    return Contents(card, tensors, DESCRIPTION)


def main(folder: Path, epochs: int, steps: int) -> None:
    torch.set_num_threads(1)
    recipe = RECIPE.replace(epochs=epochs)
    with group_of_torchrun("cpu") as (group, device):
        run = finetune(small_base(), SmallData(8, steps), recipe, folder, name="stripes", device=device, group=group)
        trained = follow(run, lambda news: None if isinstance(news, Measuring) else print("step", flush=True))
        if group.leads:
            trained.save(folder / "brain.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
