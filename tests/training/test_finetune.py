# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import errno
import math
from pathlib import Path

import pytest
import torch

from blender_deepdream.engine import brain_file
from blender_deepdream.engine.brain_file import Contents
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.nothing import named
from blender_deepdream.engine.zoo import brain_contents
from blender_deepdream.protocol.errors import OutOfMemoryError, SettingsError, StorageError
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.training.averaging import Average
from blender_deepdream.training.finetune import finetune
from blender_deepdream.training.history import EpochReport, read_history
from blender_deepdream.training.reports import Epoch, Measuring, Notice, StepReport
from blender_deepdream.training.trainable import Trainable
from blender_deepdream.training.trained import Trained, kept
from blender_deepdream.training.training_data import Batch

from .small_data import SmallData
from .small_training import RECIPE, small_base


def train(folder: Path, recipe: Recipe = RECIPE, base: Contents | None = None, data: SmallData | None = None):
    """All that a training tells but that it measures, and what comes of it."""
    told: list[StepReport | Notice | Epoch] = []
    steps = finetune(base or small_base(), data or SmallData(), recipe, folder, name="stripes")
    while True:
        try:
            news = next(steps)
        except StopIteration as end:
            return told, end.value
        if not isinstance(news, Measuring):
            told.append(news)


def epochs(told) -> list[EpochReport]:
    return [one.report for one in told if isinstance(one, Epoch)]


def test_it_learns(tmp_path):
    told, trained = train(tmp_path, data=SmallData(8, 6))
    first, *_, last = [one for one in told if isinstance(one, StepReport)]
    assert (first.epoch, first.step, first.steps, last.epoch, last.step) == (1, 1, 6, 3, 6)
    assert last.loss < first.loss * 0.9
    assert last.fraction == 1
    assert trained.measured["validation_accuracy"] > 0.9
    assert set(trained.measured) == {"validation_accuracy", "robust_accuracy", "relit_accuracy"}
    assert read_history(tmp_path / "history.jsonl") == tuple(epochs(told))


@pytest.mark.parametrize("recipe", [{"clarity": 0}, {"accumulate": 2}, {"average": 0}, {"momentum": 0}])
def test_it_learns_in_other_ways(tmp_path, recipe):
    _, trained = train(tmp_path, RECIPE.replace(**recipe), data=SmallData(8, 12))
    assert trained.measured["validation_accuracy"] > 0.9


def test_the_brain_dreams_and_says_how_it_was_made(tmp_path):
    recipe = RECIPE.replace(epochs=1)
    told, trained = train(tmp_path, recipe, brain_contents("lite0"))
    card = trained.save(tmp_path / "own.safetensors")
    brain = brain_file.load(tmp_path / "own.safetensors")
    assert brain.card == card
    assert card.classes == SmallData.classes
    assert card.recipe["recipe"] == recipe.to_json()
    assert card.recipe["measured"] == trained.measured
    assert card.recipe["base"]["name"] == "lite0"
    assert card.recipe["data"] == {"classes": 3, "learned": 24, "tested": 12}
    assert card.licence.startswith("Apache-2.0; ")
    assert card.default_layers == (("_blocks.10", 1.0),)
    source = named("clouds:64x64", 1)
    assert source is not None
    settings = DreamSettings().replace(octaves=1, steps=1, layers=((card.default_layers[0][0], 1.0),))
    for one in (brain, next(event for event in told if isinstance(event, Epoch)).brain()):
        dreamt = dream_to_end(source, one, settings).pixels
        assert abs(dreamt - source.pixels).mean() > 1e-3


@pytest.mark.parametrize("recipe", [RECIPE, RECIPE.replace(clarity=0, accumulate=2, average=0)])
def test_it_goes_on_where_it_was_stopped_to_the_same_brain(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr("blender_deepdream.training.run.CHECKPOINT_EVERY", 2)
    data = SmallData(8, 5)
    _, whole = train(tmp_path / "whole", recipe, data=data)
    for count in (1, 4, 5, 7):  # within an epoch, and just at its end
        steps = finetune(small_base(), data, recipe, tmp_path / "parts", name="stripes")
        for _ in range(count):
            next(steps)
        steps.close()
    told, parts = train(tmp_path / "parts", recipe, data=data)
    assert len(epochs(told)) < 3
    assert parts.save(tmp_path / "a").id == whole.save(tmp_path / "b").id
    assert strip(tmp_path / "parts") == strip(tmp_path / "whole")
    again, same = train(tmp_path / "parts", recipe, data=data)
    assert again == []
    assert same.save(tmp_path / "a").id == whole.save(tmp_path / "b").id


def strip(folder: Path) -> list[EpochReport]:
    return [dataclasses.replace(report, seconds=0.0) for report in read_history(folder / "history.jsonl")]


def test_what_was_best_when_it_was_stopped_is_kept(tmp_path):
    steps = finetune(small_base(), SmallData(), RECIPE, tmp_path, name="stripes")
    assert kept(tmp_path) is None
    report = next(one.report for one in steps if isinstance(one, Epoch))
    steps.close()
    found = kept(tmp_path)
    assert isinstance(found, Trained)
    assert found.report == dataclasses.replace(report, seconds=0.0)
    found.save(tmp_path / "own.safetensors")
    assert brain_file.load(tmp_path / "own.safetensors").card.name == "stripes"


def test_to_stop_loses_nothing(tmp_path):
    data = SmallData(8, 20)
    steps = finetune(small_base(), data, RECIPE, tmp_path, name="stripes")
    for _ in range(5):
        next(steps)
    steps.close()
    told, _ = train(tmp_path, data=data)
    first = told[0]
    assert isinstance(first, StepReport)
    assert first.step == 6


def test_too_little_memory_says_what_to_do(tmp_path, monkeypatch):
    def full(*_args, **_more):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("blender_deepdream.training.learner.perturbed", full)
    with pytest.raises(OutOfMemoryError, match="8 pictures of 32 px") as raised:
        train(tmp_path)
    assert "accumulate to 2" in raised.value.hint


def test_a_full_disk_ends_it_with_the_last_checkpoint_whole(tmp_path, monkeypatch):
    steps = finetune(small_base(), SmallData(), RECIPE, tmp_path, name="stripes")
    next(one for one in steps if isinstance(one, Epoch))
    with monkeypatch.context() as patch:
        patch.setattr("safetensors.torch.save_file", _no_room)
        with pytest.raises(StorageError, match="No space left"):
            list(steps)
    told, trained = train(tmp_path)
    assert [report.epoch for report in epochs(told)] == [2, 3]
    assert trained.save(tmp_path / "a").id == train(tmp_path / "whole")[1].save(tmp_path / "b").id


def _no_room(*_args: object, **_more: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class Broken(SmallData):
    """Its pictures are no numbers, from a batch on, a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__(8, 4)
        self.times = times

    def batches(self, *place, **more):
        for number, batch in enumerate(super().batches(*place, **more), place[1]):
            broken = number == 2 and self.times > 0
            self.times -= broken
            yield Batch(batch.images * math.nan, batch.labels) if broken else batch


def test_a_loss_that_is_no_number_halves_the_rate(tmp_path):
    told, _ = train(tmp_path, data=Broken(2))
    said = [one.said for one in told if isinstance(one, Notice)]
    assert said == ["The loss was no number: on from step 0 at half the rate."] * 2
    steps = [one for one in told if isinstance(one, StepReport)]
    assert [step.step for step in steps[:7]] == [1, 2, 1, 2, 1, 2, 3]
    assert steps[4].rate == steps[0].rate / 4
    assert epochs(told)[0].said == said[0]
    assert epochs(told)[1].said == ""
    assert len(steps) == 4 * 3 + 4


def blow_up(monkeypatch, at: list[int], value: float) -> None:
    """Make the averaged weights what they should not be, after each of these steps once."""
    add = Average.add

    def broken(self: Average, trainable: Trainable, step: int) -> None:
        add(self, trainable, step)
        if step in at:
            at.remove(step)
            for weight in self.network.parameters():
                weight.fill_(value)

    monkeypatch.setattr(Average, "add", broken)


def checkpointed(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.json"))


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_a_network_that_blew_up_is_never_kept(tmp_path, monkeypatch, value):
    blow_up(monkeypatch, [8], value)
    told, trained = train(tmp_path, data=SmallData(8, 4))
    assert [one.said for one in told if isinstance(one, Notice)] == [
        "The loss was no number: on from step 4 at half the rate."
    ]
    assert [report.epoch for report in epochs(told)] == [1, 2, 3]
    assert all(math.isfinite(report.validation_loss) for report in epochs(told))
    assert all(bool(tensor.isfinite().all()) for tensor in trained.contents.tensors.values())
    assert checkpointed(tmp_path) == [8, 12]


def test_a_stop_after_it_blew_up_saves_nothing(tmp_path, monkeypatch):
    blow_up(monkeypatch, [6], math.nan)
    steps = finetune(small_base(), SmallData(8, 4), RECIPE, tmp_path, name="stripes")
    next(one for one in steps if isinstance(one, StepReport) and (one.epoch, one.step) == (2, 2))
    steps.close()
    assert checkpointed(tmp_path) == [0, 4]


def test_each_further_set_back_goes_one_checkpoint_further(tmp_path, monkeypatch):
    blow_up(monkeypatch, [8, 8], math.nan)
    told, trained = train(tmp_path, data=SmallData(8, 4))
    said = [one.said for one in told if isinstance(one, Notice)]
    assert said == [f"The loss was no number: on from step {step} at half the rate." for step in (4, 0)]
    assert [report.epoch for report in epochs(told)] == [1, 1, 2, 3]
    assert [report.epoch for report in read_history(tmp_path / "history.jsonl")] == [1, 2, 3]
    assert kept(tmp_path, trained.report.epoch) is not None


def test_a_stop_while_it_is_measured_keeps_the_best_brain(tmp_path):
    whole = train(tmp_path / "whole")[1].save(tmp_path / "a").id
    steps = finetune(small_base(), SmallData(), RECIPE, tmp_path / "parts", name="stripes")
    next(one for one in steps if isinstance(one, Measuring))
    steps.close()
    assert checkpointed(tmp_path / "parts") == [0, 3]
    steps = finetune(small_base(), SmallData(), RECIPE, tmp_path / "parts", name="stripes")
    next(one for one in steps if isinstance(one, Epoch) and one.report.epoch == RECIPE.epochs)
    last = next(steps)
    assert last == Measuring(RECIPE.epochs, RECIPE.epochs, 1.0)
    steps.close()
    assert kept(tmp_path / "parts") is not None
    assert train(tmp_path / "parts")[1].save(tmp_path / "b").id == whole


def test_what_is_said_survives_a_stop(tmp_path):
    data, recipe = Broken(1), RECIPE.replace(epochs=1)
    steps = finetune(small_base(), data, recipe, tmp_path / "parts", name="stripes")
    next(one for one in steps if isinstance(one, Notice))
    next(steps)
    steps.close()
    _, trained = train(tmp_path / "parts", recipe, data=data)
    assert trained.report.said == "The loss was no number: on from step 0 at half the rate."
    _, whole = train(tmp_path / "whole", recipe, data=Broken(1))
    assert trained.save(tmp_path / "a").id == whole.save(tmp_path / "b").id


def test_it_is_given_up_after_three(tmp_path):
    with pytest.raises(SettingsError, match="halved 3 times") as raised:
        train(tmp_path, data=Broken(4))
    assert "learning_rate" in raised.value.hint


def test_it_ends_early_where_nothing_gets_better(tmp_path):
    told, trained = train(tmp_path, RECIPE.replace(epochs=40, patience=2, learning_rate=1e-6))
    assert len(epochs(told)) <= 5
    assert trained.report.epoch in {report.epoch for report in epochs(told) if report.best}


def test_of_equals_the_last_is_the_brain(tmp_path):
    told, trained = train(tmp_path, RECIPE.replace(epochs=5))
    record = max(report.validation_accuracy for report in epochs(told))
    good = [report.epoch for report in epochs(told) if report.validation_accuracy == record]
    assert trained.report.epoch >= good[-1]
    assert len(list(tmp_path.glob("brain-*"))) <= 2
