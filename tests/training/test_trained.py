# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses

from blender_deepdream.engine import brain_file
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.history import EpochReport
from blender_deepdream.training.trainable import trainable
from blender_deepdream.training.trained import Origin, keep, kept

from .small_training import small_base

REPORT = EpochReport(3, 1.5, 0.5, 1.25, 0.625, 0.25, ((3, 1), (2, 2)), seconds=12.5, best=True)


def origin(**changes: object) -> Origin:
    recipe = Recipe().replace(base="small", **changes)
    return Origin("own", recipe, small_base().card, {"classes": 2, "learned": 40, "tested": 8})


def contents(classes: tuple[str, ...] = ("cups", "trees"), report: EpochReport = REPORT) -> brain_file.Contents:
    return origin().contents(trainable(small_base(), classes, Recipe()), report, {"robust_accuracy": 0.25})


def test_what_is_kept_comes_back(tmp_path):
    keep(tmp_path, contents(), 3)
    found = kept(tmp_path)
    assert found is not None
    assert found.report == dataclasses.replace(REPORT, seconds=0.0)
    assert found.measured == {"robust_accuracy": 0.25}
    assert found.contents.card.title == "cups, trees (from A small network)"


def test_the_latest_are_kept_and_found_by_their_epoch(tmp_path):
    for epoch in (3, 5, 9):
        keep(tmp_path, contents(report=dataclasses.replace(REPORT, epoch=epoch)), epoch)
    latest, before = kept(tmp_path), kept(tmp_path, 5)
    assert latest is not None
    assert before is not None
    assert (latest.report.epoch, before.report.epoch) == (9, 5)
    assert kept(tmp_path, 3) is None


def test_many_classes_make_a_brain_too(tmp_path):
    count = 1500
    report = dataclasses.replace(REPORT, confusion=((0,) * count,) * count)
    card = brain_file.save(tmp_path / "many.safetensors", *contents(tuple(map(str, range(count))), report))
    assert card.classifier is not None
    assert card.classifier.channels == count
    assert card.recipe["report"]["confusion"] == []


def test_own_pictures_are_said_once():
    again = origin()
    card = contents().card
    own = Origin("more", again.recipe, card, again.data)
    network = trainable(contents(), ("a", "b"), Recipe())
    assert own.contents(network, REPORT, {}).card.licence == card.licence
    assert card.licence == "CC0-1.0; the pictures it was trained on are the artist's own"
