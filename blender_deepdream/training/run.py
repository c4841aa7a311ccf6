# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a training is, from its first step to its last, across interruptions: checkpoints, epochs, setbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch

from ..engine import brain_file
from ..engine.brain import Brain
from ..engine.brain_file import Contents
from ..engine.steps import retold
from ..protocol.errors import SettingsError, StorageError
from ..protocol.recipe import Recipe
from .checkpoint import Checkpoint, Checkpoints
from .distributed import Group
from .history import EpochReport, read_history, write_history
from .learner import Diverged, Learner, Learnt, Moment
from .lessons import Lessons
from .reports import Epoch, Measuring, Notice, StepReport
from .schedule import clarity_at, rate_at
from .trainable import trainable
from .trained import Origin, Trained, forget, keep, kept
from .training_data import Batch
from .validation import IN_PASSING, THOROUGH, Attack, Measured, robust_accuracy, validate

VERSION = 2
"""Raised whenever the same recipe and data would come to another brain."""
CHECKPOINT_EVERY = 50
"""Steps between checkpoints; there is one after each epoch, too."""
MAX_HALVINGS = 3
HISTORY = "history.jsonl"

Value = TypeVar("Value")


@dataclass
class Standing:
    """What a checkpoint knows besides tensors.

    epochs: that are over. halvings: of the rate, because the loss was no number. loss, accuracy: sums over this
    epoch's steps. best: epoch that is the brain so far, 0 for none. record: the highest validation accuracy. stale:
    epochs since then. said: what the artist should know of this epoch.
    """

    epochs: int = 0
    halvings: int = 0
    loss: float = 0.0
    accuracy: float = 0.0
    best: int = 0
    record: float = 0.0
    stale: int = 0
    said: str = ""


class Place(NamedTuple):
    """Steps and epochs that are done, and steps of this epoch."""

    epoch: int
    number: int


class Run:
    """One training in one process. See `finetune` for what it is given."""

    def __init__(  # noqa: PLR0917  (what finetune is given)
        self,
        base: Contents,
        data: Lessons,
        recipe: Recipe,
        folder: Path,
        name: str,
        device: torch.device,
        group: Group,
    ) -> None:
        self.group = group
        self._data = data
        self._recipe = recipe
        self._folder = folder
        network = trainable(base, data.classes, recipe, group.world).to(device)
        self._learner = Learner(network, recipe, group)
        self._origin = Origin(name, recipe, base.card, _counts(data))
        told = {"version": VERSION, "recipe": recipe.to_json(), "data": data.fingerprint, "base": base.card.id}
        self._checkpoints = Checkpoints(folder, told)
        self._standing = Standing()
        self._begun = self._epoch_begun = time.monotonic()
        self._first = 0
        self._saved = -1

    @property
    def place(self) -> Place:
        done = self._standing.epochs
        return Place(done, self._learner.step - done * self._data.steps)

    @property
    def is_over(self) -> bool:
        stale = 0 < self._recipe.patience <= self._standing.stale
        return self.place.epoch >= self._recipe.epochs or stale

    def begin(self) -> list[str]:
        """Go on from the last checkpoint, or make the first one. Returns what the artist should know of that.

        Raises InputError for a checkpoint of another training, StorageError.
        """
        self._go_back()
        if not self._learner.step:
            self._save()
        self._first = self._learner.step
        self._write_history()
        return [f"{path.name} is damaged; the checkpoint before it is taken." for path in self._checkpoints.damaged]

    def step(self, batch: Batch) -> StepReport:
        """Learn from a batch; a checkpoint now and then. Raises Diverged, StorageError, OutOfMemoryError."""
        place, moment = self.place, self._moment()
        learnt = self._learner.learn(batch, moment)
        self._standing.loss += learnt.loss
        self._standing.accuracy += learnt.accuracy
        if self.place.number % CHECKPOINT_EVERY == 0 and self.place.number:
            self._check()
            self._save()
        return self._report(place, learnt, moment.rate)

    def end_epoch(self) -> Generator[Measuring, None, Epoch]:
        """Measure the averaged weights, keep them if they are the best. Raises Diverged, StorageError."""
        self._check()
        epoch = self.place.epoch + 1
        measured, robust = yield from self.group.steps_of_leader(self._measure())
        if not math.isfinite(measured.loss):
            raise Diverged
        best = self._judge(measured)
        steps = self._data.steps
        report = EpochReport(
            epoch=epoch,
            train_loss=self._standing.loss / steps,
            train_accuracy=self._standing.accuracy / steps,
            validation_loss=measured.loss,
            validation_accuracy=measured.accuracy,
            robust_accuracy=robust,
            confusion=measured.confusion,
            seconds=time.monotonic() - self._epoch_begun,
            said=self._standing.said,
            best=best,
        )
        if self.group.leads:
            if best:
                keep(self._folder, self._contents(report), epoch)
            self._write_history(report)
        self._epoch_begun = time.monotonic()
        self._standing = replace(
            self._standing, epochs=epoch, loss=0.0, accuracy=0.0, best=epoch if best else self._standing.best, said=""
        )
        self._save()
        if self.group.leads:
            forget(self._folder, self._standing.best)
        return Epoch(report, self._brain_of(report))

    def set_back(self) -> Notice:
        """After a loss that is no number: from the last checkpoint again, at half the rate, and each time from one
        checkpoint before, as far as they are kept.

        Raises SettingsError when that has been done often enough.
        """
        halvings = self._standing.halvings + 1
        if halvings > MAX_HALVINGS:
            raise SettingsError(
                f"The loss was no number again, after the rate had been halved {MAX_HALVINGS} times.",
                f"Set a learning_rate well below {self._recipe.learning_rate:g}.",
            )
        self._go_back(halvings - 1)
        self._standing.halvings = halvings
        self._standing.said = f"The loss was no number: on from step {self._learner.step} at half the rate."
        return Notice(self._standing.said)

    def pause(self) -> None:
        """Stop in the middle of an epoch and lose nothing. Raises StorageError."""
        if self._learner.step != self._saved and self._learner.is_finite:
            self._save()

    def result(self) -> Generator[Measuring, None, Trained]:
        """The best brain, measured thoroughly. Raises BrainFileError."""
        return (yield from self.group.steps_of_leader(self._result()))

    def _check(self) -> None:
        """Raises Diverged, in all processes, where what was learned is no numbers any more."""
        if not self.group.from_leader(lambda: self._learner.is_finite):
            raise Diverged

    def _go_back(self, back: int = 0) -> None:
        """To the last checkpoint, or so many before it, if there is one."""
        found = self.group.from_leader(lambda: self._checkpoints.latest(back))
        if found is not None:
            self._learner.restore(found.step, found.tensors)
            self._standing = Standing(**found.facts)
            self._saved = found.step

    def _save(self) -> None:
        self._saved = self._learner.step
        if self.group.leads:
            self._checkpoints.save(Checkpoint(self._learner.step, asdict(self._standing), self._learner.tensors()))

    def _moment(self) -> Moment:
        progress = self._fraction
        rate = self._recipe.learning_rate * rate_at(self._recipe.schedule, progress) * 0.5**self._standing.halvings
        return Moment(*self.place, rate, clarity_at(self._recipe, progress))

    def _measure(self) -> Generator[Measuring, None, tuple[Measured, float]]:
        measured = yield from self._validate()
        return measured, (yield from self._robust(IN_PASSING, measured.pictures))

    def _validate(self, relit: bool = False) -> Generator[Measuring, None, Measured]:
        network = self._learner.average.network
        return (yield from self._telling(validate(network, self._data.validation(relit), len(self._data.classes))))

    def _robust(self, attack: Attack, pictures: int) -> Generator[Measuring, None, float]:
        network = self._learner.average.network
        steps = robust_accuracy(network, self._data.validation(), attack, pictures, self._recipe.seed)
        return (yield from self._telling(steps))

    def _telling(self, steps: Generator[int, None, Value]) -> Generator[Measuring, None, Value]:
        """What a measurement comes to; tells where the training is meanwhile."""
        epochs = self._recipe.epochs
        told = Measuring(-(-self._learner.step // self._data.steps), epochs, self._fraction)
        return retold(steps, lambda _: told)

    @property
    def _fraction(self) -> float:
        return self._learner.step / (self._recipe.epochs * self._data.steps)

    def _judge(self, measured: Measured) -> bool:
        """Whether these weights are the best so far: the last of those that the pictures cannot tell from the best.

        A few dozen pictures tell accuracies apart by some percent only, and what was trained longer dreams clearer: the
        one-standard-error rule (Breiman et al., "Classification and Regression Trees", 1984), the other way round.
        """
        standing = self._standing
        standing.stale = 0 if measured.accuracy > standing.record else standing.stale + 1
        standing.record = max(standing.record, measured.accuracy)
        error = math.sqrt(standing.record * (1 - standing.record) / max(measured.pictures, 1))
        return measured.accuracy >= standing.record - error

    def _contents(self, report: EpochReport) -> Contents:
        return self._origin.contents(self._learner.average.network, report, {})

    def _brain_of(self, report: EpochReport) -> Callable[[], Brain]:
        return lambda: brain_file.assembled(self._contents(report), self._learner.device)

    def _result(self) -> Generator[Measuring, None, Trained]:
        best = kept(self._folder, self._standing.best)
        if best is None:
            raise StorageError(f"The best brain is gone from {self._folder}.", "Delete that folder and begin anew.")
        network = self._learner.average.network
        network.take(best.contents.tensors)
        relit = yield from self._validate(relit=True)
        robust = yield from self._robust(THOROUGH, self._data.validation_count)
        measured = {
            "validation_accuracy": best.report.validation_accuracy,
            "robust_accuracy": robust,
            "relit_accuracy": relit.accuracy,
        }
        return Trained(self._origin.contents(network, best.report, measured), best.report, measured)

    def _report(self, place: Place, learnt: Learnt, rate: float) -> StepReport:
        whole = self._recipe.epochs * self._data.steps
        done = self._learner.step
        elapsed = time.monotonic() - self._begun
        return StepReport(
            epoch=place.epoch + 1,
            epochs=self._recipe.epochs,
            step=place.number + 1,
            steps=self._data.steps,
            loss=learnt.loss,
            accuracy=learnt.accuracy,
            rate=rate,
            fraction=self._fraction,
            eta=elapsed * (whole - done) / (done - self._first) if done > self._first else None,
        )

    def _write_history(self, *more: EpochReport) -> None:
        """The epochs that are done; those that will be trained again are forgotten."""
        if self.group.leads:
            path = self._folder / HISTORY
            write_history(path, (*read_history(path)[: self.place.epoch], *more))


def _counts(data: Lessons) -> dict[str, int]:
    return {"classes": len(data.classes), "learned": data.train_count, "tested": data.validation_count}
