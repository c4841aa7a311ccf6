# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream train`: a brain from a folder of pictures, with its progress on a terminal, in a log or as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from ..engine import zoo
from ..engine.atlas import Cell, atlas, usual_source
from ..engine.brain import Brain
from ..engine.cell_cache import user_cache
from ..engine.contact_sheet import brain_sheet, check_suffix, encode_sheet
from ..engine.images import Image, read_image
from ..engine.nothing import named
from ..engine.steps import follow
from ..engine.whole_files import write_bytes
from ..protocol.errors import CancelledError, InputError
from ..protocol.recipe import Recipe
from ..protocol.training import TrainProgress
from ..training.augmentation_sheet import augmentation_sheet
from ..training.census import census
from ..training.checkpoint import work_folder
from ..training.dataset import find_pictures
from ..training.history import EpochReport
from ..training.probe import seconds_per_step
from ..training.report_folder import report_folder, write_data, write_outcome, write_pictures
from ..training.session import Order, Outcome, Pictures, Session, prepare
from .cli_brains import name_from
from .cli_dream import check_target
from .dreaming import choose_device
from .train_arguments import recipe_of, target_of
from .train_teller import Teller

ATLAS_SIDE = 192


def train(options: argparse.Namespace) -> None:
    """Train `options.target`, or show what `options.census` or `options.show_augmentation` ask for.

    Raises InputError, SettingsError, BrainFileError, StorageError, OutOfMemoryError, and CancelledError for Ctrl-C,
    after which the brain is the best so far.
    """
    recipe, teller = recipe_of(options), Teller(options.json)
    if options.show_augmentation:
        _show_augmentation(options.pictures, options.show_augmentation, recipe, teller)
        return
    target = Path("none.safetensors") if options.census else target_of(options)
    order = _order_of(options, target, recipe)
    if options.census:
        _count(order, teller)
        return
    check_target(target)
    _check_apart(target, options.pictures)
    if options.install:
        zoo.library().check_free(order.name, replace_old=options.replace)
    _train(order, options, teller)


def _check_apart(target: Path, pictures: Path) -> None:
    """Raises InputError for a brain among its pictures: what is drawn of its training would be learned from, too."""
    if target.resolve().is_relative_to(pictures.resolve()):
        raise InputError(f"{target} lies among the pictures.", f"Write the brain outside of {pictures}.")


def _order_of(options: argparse.Namespace, target: Path, recipe: Recipe) -> Order:
    """Raises UnknownBrainError, BrainFileError, ImageError, InputError."""
    device = choose_device(options.device, options.threads)
    return Order(
        name=options.name or name_from(target, "mine"),
        pictures=options.pictures,
        recipe=recipe,
        base=zoo.brain_contents(recipe.base),
        work=work_folder(target, options.checkpoints),
        source=_source(options.dream_source),
        source_name=options.dream_source,
        device=device,
        caches=options.cache,
    )


def _source(name: str) -> Image:
    return named(name, 0) or read_image(Path(name))


def _show_augmentation(pictures: Path, sheet: Path, recipe: Recipe, teller: Teller) -> None:
    """pictures: the picture to show, or a folder, of which it is the first. Raises ImageError, InputError,
    StorageError."""
    check_suffix(sheet.suffix)
    check_target(sheet)
    picture = pictures if pictures.is_file() else find_pictures(pictures)[0].path
    write_bytes(sheet, encode_sheet(augmentation_sheet(picture, recipe), sheet.suffix))
    teller.done({"sheet": str(sheet), "picture": str(picture)}, f"{sheet}: {picture}, distorted thirty times")


def _count(order: Order, teller: Teller) -> None:
    """Tell what there is to learn from, and how long that takes. Raises InputError, StorageError."""
    with teller.following() as report:
        data = follow(prepare(order), report)
    seconds = seconds_per_step(order.base, data, order.recipe, order.device)
    teller.census(census(data, order.recipe, seconds))


def _train(order: Order, options: argparse.Namespace, teller: Teller) -> None:
    with teller.following() as report:
        session = Session(order, follow(prepare(order), report))
    teller.census(census(session.data, order.recipe))
    write_data(report_folder(options.target), session.data, order.recipe)
    try:
        with teller.following() as report:
            outcome = follow(session.run(), lambda news: _hear(news, report, options.target, teller))
    except KeyboardInterrupt:
        raise _stopped(session, options.target) from None
    _deliver(outcome, order, options, teller)
    session.clear()


def _hear(
    news: TrainProgress | EpochReport | Pictures, report: Callable[[TrainProgress], None], target: Path, teller: Teller
) -> None:
    if isinstance(news, TrainProgress):
        report(news)
    elif isinstance(news, EpochReport):
        teller.epoch(news)
    else:
        write_pictures(report_folder(target), news)


def _stopped(session: Session, target: Path) -> CancelledError:
    """What to say to Ctrl-C; the brain is the best so far. Raises BrainFileError, StorageError."""
    outcome, again = session.so_far(), "The same command again goes on."
    if outcome is None:
        return CancelledError("Stopped before the first epoch was over: there is no brain yet.", again)
    outcome.trained.save(target)
    write_outcome(report_folder(target), outcome, session.order.recipe)
    report = outcome.trained.report
    right = f"{report.validation_accuracy:.0%} of new pictures right"
    return CancelledError(f"Stopped. {target} is the best brain so far: epoch {report.epoch}, {right}.", again)


def _deliver(outcome: Outcome, order: Order, options: argparse.Namespace, teller: Teller) -> None:
    """Write the brain and all beside it, install it if that was asked for, and tell of it."""
    target: Path = options.target
    card = outcome.trained.save(target)
    files = write_outcome(report_folder(target), outcome, order.recipe)
    if options.install:
        installed = zoo.library().add_file(target, order.name, replace_old=options.replace)
        files = (*files, _atlas(zoo.load_brain(installed.name, order.device), report_folder(target), teller))
    measured, report = dict(outcome.trained.measured), outcome.trained.report
    done = {
        "brain": str(target),
        "id": card.id,
        "name": order.name,
        "classes": list(outcome.data.classes),
        "images": len(outcome.data.dataset.pictures),
        "epoch": report.epoch,
        "epochs": len(outcome.reports),
        "seconds": round(outcome.seconds, 3),
        "files": [str(path) for path in files],
    }
    teller.trained(done | measured, f"{target}: {_in_words(measured)}, {outcome.seconds:.0f} s")


def _in_words(measured: Mapping[str, float]) -> str:
    told = {"robust_accuracy": "of them perturbed", "relit_accuracy": "in other light"}
    more = ", ".join(f"{measured[name]:.0%} {what}" for name, what in told.items() if name in measured)
    return f"{measured['validation_accuracy']:.0%} of new pictures right" + (f" ({more})" if more else "")


def _atlas(brain: Brain, folder: Path, teller: Teller) -> Path:
    """What each layer of the finished brain dreams. Raises StorageError."""
    with teller.dreaming(f"atlas of {brain.card.name}") as report:
        steps = atlas(brain, usual_source(), size=ATLAS_SIDE, cache=user_cache())
        cells = follow(steps, lambda news: None if isinstance(news, Cell) else report(news))
    path = folder / "atlas.jpg"
    write_bytes(path, encode_sheet(brain_sheet(brain.card, cells, ATLAS_SIDE, "dusk"), path.suffix))
    return path
