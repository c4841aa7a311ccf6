# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line around training, for scripts.

blender -b shot.blend -P scripts/train.py -- pictures --name mine --objects Cup Spoon --render count=40
"""

from __future__ import annotations

import argparse
import math
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import bpy

from ..protocol.errors import CancelledError, InputError, SceneError, SettingsError
from ..protocol.recipe import Recipe
from ..protocol.training import Phase, TrainResult
from .command_line import (
    Parser,
    add_server_arguments,
    connector_as_told,
    existing,
    open_blend,
    run_command,
    tell,
)
from .dataset import PictureDone, render_dataset
from .paths import chosen_folder
from .report import REPORTS, report_path
from .subjects import Subject, collections_as_subjects, objects_as_subjects, selected_subjects
from .train_task import Training
from .training import TrainEvent, TrainJob, train
from .training_properties import report_folder


def main(arguments: Sequence[str]) -> int:
    """Render pictures and train on them as the arguments say; returns the exit code: 0 done, 2 bad usage or input, 1
    failed."""
    return run_command(
        arguments, _parser(), _run, "Pictures rendered or sent so far are kept: the same command goes on."
    )


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="train.py",
        description="Train a brain on a folder of pictures, which may be rendered from the scene first. Run it again "
        "to go on.",
    )
    parser.add_argument("folder", help="pictures to learn from: each folder in it is a class")
    parser.add_argument("--name", default="", help="of the new brain; without one pictures are rendered only")
    parser.add_argument("--blend", type=Path, help="scene to open; with blender -b it is open already")
    parser.add_argument("--set", metavar="KNOB=VALUE", action="append", default=[], help="of the training's recipe")
    parser.add_argument("--replace", action="store_true", help="let a brain of that name make way")
    parser.add_argument("--source", metavar="IMG", type=Path, help="what it dreams from after each epoch")
    parser.add_argument("--report", metavar="DIR", help="pictures of how it learned; default: beside the .blend")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--objects",
        metavar="NAME",
        nargs="*",
        help="render pictures of these objects first, a class each; no name: of those selected",
    )
    shown.add_argument("--collections", metavar="NAME", nargs="*", help="the same of collections")
    parser.add_argument(
        "--render",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="how: count=60, side=160, highest=45, cameras=turntable",
    )
    add_server_arguments(parser)
    return parser


def _run(options: argparse.Namespace, stdout: TextIO, interrupted: threading.Event) -> None:
    # what is wrong with the arguments is said before anything is done
    recipe, source = Recipe().replace(**dict(map(Recipe.parse_assignment, options.set))), existing(options.source)
    if options.blend:
        open_blend(options.blend)
    scene, report = bpy.context.scene, _Report(options.json, stdout)
    if options.objects is not None or options.collections is not None:
        _render(options, scene, report, interrupted)
    elif not options.name:
        raise InputError("Nothing is to be done.", "Give the new brain a --name, or name --objects to render.")
    if options.name:
        folder = chosen_folder(options.report) if options.report else report_folder(scene, options.name)
        pictures = chosen_folder(options.folder)
        _train(options, Training(options.name, pictures, folder, recipe, source, options.replace), report, interrupted)


def _render(options: argparse.Namespace, scene: bpy.types.Scene, report: _Report, interrupted: threading.Event) -> None:
    for assignment in options.render:
        _assign(scene.deepdream.dataset, assignment)
    job = scene.deepdream.dataset.to_job(scene, _subjects(options), options.folder)
    with closing(render_dataset(job)) as steps:
        for event in steps:
            if interrupted.is_set():
                raise KeyboardInterrupt
            report.rendered(event)


def _subjects(options: argparse.Namespace) -> list[Subject]:
    if options.collections is None:
        if not options.objects:
            return selected_subjects(bpy.context.view_layer, "OBJECTS")
        return objects_as_subjects(_named(bpy.data.objects, options.objects))
    if not options.collections:
        return selected_subjects(bpy.context.view_layer, "COLLECTIONS")
    return collections_as_subjects(_named(bpy.data.collections, options.collections))


def _named(kind: Any, names: Iterable[str]) -> list[Any]:
    for name in names:
        if name not in kind:
            raise SceneError(f"There is no {name!r} in this scene.", f"There are: {', '.join(kind.keys()[:20])}.")
    return [kind[name] for name in names]


def _assign(settings: bpy.types.PropertyGroup, assignment: str) -> None:
    """`count=40`, `highest=45`, in degrees. Raises SettingsError."""
    name, equals, typed = (part.strip() for part in assignment.partition("="))
    known = {
        prop.identifier: prop for prop in settings.bl_rna.properties if prop.identifier in settings.__annotations__
    }
    if name not in known or not equals:
        raise SettingsError(f"{assignment!r} sets nothing.", f"Write NAME=VALUE; names are: {', '.join(known)}.")
    kinds = {
        "INT": int,
        "FLOAT": lambda text: math.radians(float(text)),
        "ENUM": str.upper,
        "BOOLEAN": lambda text: bool(int(text)),
    }
    try:
        setattr(settings, name, kinds[known[name].type](typed))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{name} cannot be {typed!r}.", f"It is: {known[name].description}.") from error


def _train(options: argparse.Namespace, training: Training, report: _Report, interrupted: threading.Event) -> None:
    job = TrainJob(training, connector_as_told(options))
    try:
        with closing(train(job)) as events:
            for event in events:
                if interrupted.is_set():
                    raise KeyboardInterrupt
                report.trained(event, training)
    except KeyboardInterrupt:
        if not job.known:
            raise
        # the training goes on by itself: it is followed once more, to be stopped with what it has
        job = TrainJob(replace(training, job=job.known), job.connect, stopped=True)
        for event in train(job):
            report.trained(event, training)
        raise CancelledError(event.outcome, "The same command goes on.") from None


@dataclass
class _Report:
    """A line for each epoch, and for each class that was rendered; at the end, what it has come to."""

    as_json: bool
    stdout: TextIO
    before: tuple[Any, ...] = ()

    def rendered(self, event: PictureDone) -> None:
        if event.done % max(1, event.total // 10) == 0 or event.done == event.total:
            self._tell({"rendered": event.done, "of": event.total, "class": event.subject}, event.text)

    def trained(self, event: TrainEvent, training: Training) -> None:
        if event.note:
            self._tell({"note": event.note}, event.note)
        progress = event.progress
        if event.result:
            self._end(event, event.result, training)
        elif (
            progress
            and not event.stopping
            and (progress.epoch, progress.phase) != self.before
            and progress.phase is not Phase.GATHERING
        ):
            self.before = (progress.epoch, progress.phase)
            self._tell(progress.to_json(), event.text)

    def _end(self, event: TrainEvent, result: TrainResult, training: Training) -> None:
        paths = {name: str(path) for name in REPORTS if (path := report_path(training.report, name))}
        for name, reason in () if self.as_json else result.left_out:
            print(f"left out: {name}: {reason}", file=self.stdout)
        self._tell(result.to_json() | {"report": paths}, f"{result.brain.name}: {event.outcome}")
        if not self.as_json:
            for name, path in paths.items():
                print(f"  {name:<10} {path}", file=self.stdout, flush=True)

    def _tell(self, data: dict[str, Any], line: str) -> None:
        tell(data, line, self.stdout, as_json=self.as_json)
