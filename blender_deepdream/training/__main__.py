# SPDX-License-Identifier: GPL-3.0-or-later
"""A training on several GPUs or machines: `torchrun --nproc-per-node 4 -m blender_deepdream.training PICTURES OUT`.

Every process needs the folder of pictures under the same path. For one process there is `deepdream train`, which shows
more.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ..engine.steps import finish, follow
from ..engine.zoo import brain_contents
from ..protocol.errors import DeepDreamError
from ..protocol.knob_arguments import add_knobs, typed_knobs
from ..protocol.recipe import Recipe
from .checkpoint import work_folder
from .distributed import Group, group_of_torchrun
from .finetune import finetune
from .reports import Epoch, Measuring, Notice, StepReport
from .training_data import TrainingData, open_training_data


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done, 2 bad usage or input, 1 failed."""
    options = _parser().parse_args(arguments)
    try:
        _train(options, Recipe.from_text(typed_knobs(options, Recipe.knobs())))
    except DeepDreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _train(options: argparse.Namespace, recipe: Recipe) -> None:
    work = work_folder(options.out, options.work)
    with group_of_torchrun(options.device) as (group, device):
        data = _data(options.pictures, recipe, group, device)
        base = brain_contents(recipe.base)
        steps = finetune(base, data, recipe, work, name=options.name, device=device, group=group)
        trained = follow(steps, _tell if group.leads else lambda _: None)
        if group.leads:
            card = trained.save(options.out)
            shutil.rmtree(work, ignore_errors=True)
            print(json.dumps({"brain": str(options.out), "id": card.id, **trained.measured}), flush=True)


def _data(pictures: Path, recipe: Recipe, group: Group, device: torch.device) -> TrainingData:
    """The pictures, decoded by the first process of all: the others find them done."""
    if group.leads:
        finish(open_training_data(pictures, recipe, device))
    group.from_leader(lambda: None)
    return finish(open_training_data(pictures, recipe, device))


def _tell(news: StepReport | Measuring | Notice | Epoch) -> None:
    if isinstance(news, Notice):
        print(news.said, flush=True)
    elif isinstance(news, Epoch):
        report = news.report
        robust = "" if report.robust_accuracy is None else f", {report.robust_accuracy:.0%} perturbed"
        print(
            f"epoch {report.epoch}: loss {report.train_loss:.3f}, "
            f"right {report.train_accuracy:.0%}, new pictures {report.validation_accuracy:.0%}{robust}",
            flush=True,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m blender_deepdream.training", description=__doc__)
    parser.add_argument("pictures", type=Path, help="folder of pictures, a sub-folder for each class")
    parser.add_argument("out", type=Path, help="the brain's file")
    parser.add_argument("--name", default="own", help="of the brain (default: own)")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where checkpoints lie (default: beside OUT)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", metavar="cpu|cuda")
    add_knobs(parser, Recipe.knobs())
    return parser


if __name__ == "__main__":
    sys.exit(main())
