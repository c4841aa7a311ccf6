# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole training, from a folder of pictures to a brain: what the command line and the server have in common.

`finetune` is the training itself; here it gets its pictures, and is told of and shown while it runs.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image as Pillow

from ..engine.brain import Brain, BrainCard
from ..engine.brain_file import Contents, assembled
from ..engine.images import Image
from ..engine.steps import Answered, retold
from ..protocol.recipe import Recipe
from ..protocol.training import Phase, TrainProgress
from .confusion import draw_confusion
from .curves import best_of, draw_curves
from .dream_sheet import DreamSheet
from .finetune import finetune
from .history import EpochReport, read_history
from .preparation import Preparation
from .reports import Epoch, Measuring, Notice, StepReport
from .run import HISTORY
from .trained import Trained, kept
from .training_data import TrainingData, open_training_data

PREPARED, LEARNT = 0.05, 0.98
"""Shares of a training that are over when its pictures are there, and when its last epoch is."""

LATE = 0.9
"""How much of the loss that is told is that of steps before."""

LOOK_EVERY = 20
"""Pictures are drawn at most in this part of the time."""


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be trained. pictures: the folder. base: what the base brain is made of. work: folder for checkpoints
    and all that a training goes on from. source: what is dreamed from after each epoch, called source_name. caches:
    where decoded pictures are kept; None: in the user's cache folder."""

    name: str
    pictures: Path
    recipe: Recipe
    base: Contents
    work: Path
    source: Image
    source_name: str
    device: torch.device
    caches: Path | None = None


class Pictures(NamedTuple):
    """How a brain has learnt so far: RGB, sRGB. dreams: None before the first."""

    curves: Pillow.Image
    confusion: Pillow.Image
    dreams: Pillow.Image | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A brain, and what is to be told of it. reports: of all epochs. data: what it learned from. seconds: of this
    session."""

    trained: Trained
    reports: tuple[EpochReport, ...]
    data: TrainingData
    pictures: Pictures
    seconds: float


def prepare(order: Order) -> Generator[TrainProgress, None, TrainingData]:
    """The pictures of an order, ready to be learned from: yields how far that is. Raises what `open_training_data`
    raises."""
    steps = open_training_data(
        order.pictures, order.recipe, order.device, order.caches, lambda: assembled(order.base, order.device)
    )
    return (yield from retold(steps, _preparing))


def _preparing(news: Preparation) -> TrainProgress:
    phase = Phase.SORTING if news.doing == "sorting" else Phase.GATHERING
    fraction = PREPARED * news.done / max(news.total, 1)
    return TrainProgress(phase, step=news.done, steps=news.total, fraction=fraction)


class Session:
    """One training, which may be stopped at any time and then has its best brain so far. data: what `prepare` gave."""

    def __init__(self, order: Order, data: TrainingData) -> None:
        self.order = order
        self.data = data
        self._sheet: DreamSheet | None = None
        self._progress = TrainProgress(Phase.TRAINING, fraction=PREPARED)
        self._begun = time.monotonic()
        self._next_look = 0.0

    def run(self) -> Generator[TrainProgress | EpochReport | Pictures, None, Outcome]:
        """Train: yields where it is, after each epoch what it came to, and pictures of that now and then.

        Stop iterating to stop. Raises what `finetune` raises.
        """
        trained = yield from self._learn()
        sheet = self._sheet_of(trained.contents.card)
        if trained.report.epoch not in sheet:
            yield from self._dream(sheet, assembled(trained.contents, self.order.device), trained.report.epoch)
        return self._outcome(trained)

    def so_far(self) -> Outcome | None:
        """The best brain so far of a training that was stopped; None before the first. Raises BrainFileError."""
        trained = kept(self.order.work)
        return None if trained is None else self._outcome(trained)

    def clear(self) -> None:
        """Forget what the training would go on from: its brain is where it belongs."""
        shutil.rmtree(self.order.work, ignore_errors=True)

    def _learn(self) -> Generator[TrainProgress | EpochReport | Pictures, None, Trained]:
        order = self.order
        steps = finetune(order.base, self.data, order.recipe, order.work, name=order.name, device=order.device)
        answered = Answered(steps)
        with contextlib.closing(steps):
            for news in answered:
                if isinstance(news, Epoch):
                    yield from self._after_epoch(news)
                else:
                    self._progress = self._moved(news)
                    yield self._progress
        return answered.answer

    def _moved(self, news: StepReport | Measuring | Notice) -> TrainProgress:
        before = self._progress
        if isinstance(news, Notice):
            return replace(before, said=news.said)
        fraction = PREPARED + (LEARNT - PREPARED) * news.fraction
        if isinstance(news, Measuring):
            return replace(before, epoch=news.epoch, epochs=news.epochs, fraction=fraction)
        loss = news.loss if before.loss is None else LATE * before.loss + (1 - LATE) * news.loss
        return replace(
            before,
            phase=Phase.TRAINING,
            epoch=news.epoch,
            epochs=news.epochs,
            step=news.step,
            steps=news.steps,
            loss=loss,
            fraction=fraction,
            eta=news.eta,
        )

    def _after_epoch(self, news: Epoch) -> Generator[TrainProgress | EpochReport | Pictures, None, None]:
        report = news.report
        yield report
        self._progress = replace(
            self._progress, accuracy=report.validation_accuracy, robust_accuracy=report.robust_accuracy
        )
        brain = news.brain()
        sheet = self._sheet_of(brain.card)
        if sheet.is_due(0):
            yield from self._dream(sheet, assembled(self.order.base, self.order.device), 0)
        if sheet.is_due(report.epoch):
            yield from self._dream(sheet, brain, report.epoch)
        start = time.monotonic()
        if start >= self._next_look:
            yield self._pictures(sheet)
            self._next_look = time.monotonic() + LOOK_EVERY * (time.monotonic() - start)

    def _dream(self, sheet: DreamSheet, brain: Brain, epoch: int) -> Generator[TrainProgress, None, None]:
        where = replace(self._progress, phase=Phase.DREAMING, epoch=epoch, epochs=self.order.recipe.epochs)
        for step in sheet.dream(brain, epoch):
            place = (step.octave - 1) * step.steps + step.step
            yield replace(where, step=place, steps=step.octaves * step.steps)

    def _sheet_of(self, card: BrainCard) -> DreamSheet:
        """The sheet of a training whose brain has this card; with what an earlier session dreamed."""
        if self._sheet is None:
            order = self.order
            self._sheet = DreamSheet(order.source, card.default_layers, order.work / "dreams", order.device)
            self._sheet.find(range(order.recipe.epochs + 1))
        return self._sheet

    def _pictures(self, sheet: DreamSheet) -> Pictures:
        order, reports = self.order, read_history(self.order.work / HISTORY)
        return Pictures(
            draw_curves(reports, order.name),
            draw_confusion(best_of(reports), self.data.classes, order.name),
            sheet.draw(reports, order.name, order.source_name) if len(sheet) else None,
        )

    def _outcome(self, trained: Trained) -> Outcome:
        reports = read_history(self.order.work / HISTORY)
        pictures = self._pictures(self._sheet_of(trained.contents.card))
        return Outcome(trained, reports, self.data, pictures, time.monotonic() - self._begun)
