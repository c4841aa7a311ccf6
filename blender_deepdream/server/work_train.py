# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's side of a training: pictures laid out as a data set, the brain into the library, its atlas made.

All that it goes on from lies in a folder of its own, by the job's id, until the brain is done: a training that was
killed, cancelled or gave way, and is asked for again, goes on to the same brain.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..engine.atlas import Cell, atlas, usual_source
from ..engine.brain import Brain, BrainCard
from ..engine.cell_cache import CellCache
from ..engine.contact_sheet import brain_sheet, encode_sheet
from ..engine.images import Image, read_image
from ..engine.nothing import named
from ..engine.steps import follow
from ..engine.whole_files import cannot_write, replaced_whole, write_bytes
from ..protocol.errors import CancelledError, InputError, UnknownBrainError
from ..protocol.training import MAX_LEFT_OUT, Phase, TrainProgress, TrainRequest, TrainResult
from ..protocol.wire import canonical_hash
from ..training.progress_picture import progress_jpeg
from ..training.report_folder import left_out_of
from ..training.session import Order, Outcome, Pictures, Session, prepare
from ..training.trained import Trained, kept
from .as_sent import said_as_sent
from .carried import Luggage, carried
from .report import Report
from .workbench import Workbench

WORK, OWN = "work", "in-the-library"
"""What a training goes on with, in its folder; all else there is laid out anew."""

ATLAS_SIDE = 192
TRAINED = 0.9
"""Share of the job that is over when the brain is trained; the rest is its atlas."""

FORGET_SECONDS = 30 * 86_400
"""How long a training that was not finished can be gone on with."""

LINKS_BETWEEN = 100
"""Pictures that are laid out between two looks at whether the job was cancelled."""


def train_brain(bench: Workbench, request: TrainRequest, brains: Mapping[str, str], report: Report) -> TrainResult:
    """Raises InputError for a name that is taken or pictures that nothing can be learned from, BrainFileError for a
    base that cannot learn, MissingBlobError, StorageError; CancelledError, after which the best brain so far is in the
    library; GaveWayError."""
    start = time.monotonic()
    folder = _folder(bench, request, brains)
    with carried(bench.store, folder, (WORK, OWN)) as luggage:
        result = _trained(bench, request, brains, folder, report, luggage)
    shutil.rmtree(folder, ignore_errors=True)
    return replace(result, seconds=round(time.monotonic() - start, 3))


def _trained(
    bench: Workbench,
    request: TrainRequest,
    brains: Mapping[str, str],
    folder: Path,
    report: Report,
    luggage: Luggage,
) -> TrainResult:
    shelf = _Shelf(bench, request, folder)
    shelf.check_free()
    with said_as_sent(bench.store, {request.dream_source: "The image to dream from"}):
        source = _source(bench, request)
    order = _order(bench, request, folder, brains, source)
    try:
        _lay_out(bench, request, order.pictures, report)
        with _said_of_what_was_sent(order.pictures):
            session = Session(order, follow(prepare(order), lambda news: report.advance(_scaled(news))))
        outcome = follow(session.run(), lambda news: _tell(news, report, luggage))
    except CancelledError as error:
        raise shelf.stopped(order.work) from error
    card = shelf.put(outcome.trained)
    luggage.send()  # whoever goes on elsewhere must know whose brain has the name
    return _result(bench, outcome, card, _atlas(bench.library.load(card.name, bench.device), bench, report))


class _Shelf:
    """The brain's place in the library, and what this training has put there before."""

    def __init__(self, bench: Workbench, request: TrainRequest, folder: Path) -> None:
        self._library = bench.library
        self._name = request.name
        self._replace = request.replace
        self._own = folder / OWN

    def check_free(self) -> None:
        """Raises InputError if another brain has the name and is not to be replaced, StorageError."""
        self._library.check_free(self._name, replace_old=self._may_replace())

    def put(self, trained: Trained) -> BrainCard:
        """Raises InputError, BrainFileError, StorageError."""
        card = self._library.add(*trained.contents, replace_old=self._may_replace())
        write_bytes(self._own, card.id.encode())
        return card

    def stopped(self, work: Path) -> CancelledError:
        """What to say of a training that was cancelled; its best brain so far is put into the library."""
        best, again = kept(work), "Submit it again to go on."
        if best is None:
            return CancelledError("The training was stopped before its first epoch was over.", again)
        self.put(best)
        report = best.report
        right = f"epoch {report.epoch}, {report.validation_accuracy:.0%} of new pictures right"
        return CancelledError(f"The training was stopped. Brain {self._name!r} is the best so far: {right}.", again)

    def _may_replace(self) -> bool:
        if self._replace:
            return True
        with contextlib.suppress(OSError, UnknownBrainError, UnicodeDecodeError):
            return self._library.find(self._name).id == self._own.read_text("ascii")
        return False


def _folder(bench: Workbench, request: TrainRequest, brains: Mapping[str, str]) -> Path:
    """This training's own, by what is asked for; those that nobody came back to are deleted."""
    trainings = bench.store.root / "trainings"
    for old in trainings.glob("*"):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - FORGET_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    folder = trainings / canonical_hash(request.to_json() | {"brains": dict(brains)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def _order(bench: Workbench, request: TrainRequest, folder: Path, brains: Mapping[str, str], source: Image) -> Order:
    return Order(
        name=request.name,
        pictures=folder / "pictures",
        recipe=request.recipe,
        base=bench.contents(request.recipe.base, brains),
        work=folder / WORK,
        source=source,
        source_name="an image" if request.dream_source in request.blobs else request.dream_source,
        device=bench.device,
        caches=folder / "decoded",
    )


def _source(bench: Workbench, request: TrainRequest) -> Image:
    return named(request.dream_source, 0) or read_image(bench.blob(request.dream_source))


def _lay_out(bench: Workbench, request: TrainRequest, folder: Path, report: Report) -> None:
    """The pictures by their names, as links where the disk knows them. Raises MissingBlobError, StorageError."""
    total = len(request.pictures)
    for number, (blob, name) in enumerate(request.pictures):
        if number % LINKS_BETWEEN == 0:
            report.advance(TrainProgress(Phase.GATHERING, step=number, steps=total))
        path = folder / name
        if not path.is_file():
            _link(bench.blob(blob), path)


def _link(blob: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(blob, path)
        except OSError:  # not on this disk, or not here at all
            with replaced_whole(path) as part:
                shutil.copyfile(blob, part)
    except OSError as error:
        raise cannot_write(path, error) from error


@contextlib.contextmanager
def _said_of_what_was_sent(folder: Path) -> Iterator[None]:
    """Inside the block, errors do not speak of a folder of the server's."""
    try:
        yield
    except InputError as error:
        raise type(error)(error.message.replace(str(folder), "What was sent"), error.hint) from error


def _tell(news: object, report: Report, luggage: Luggage) -> None:
    luggage.send_in_time()
    if isinstance(news, TrainProgress):
        report.advance(_scaled(news))
    elif isinstance(news, Pictures):
        report.show(progress_jpeg(news))


def _scaled(progress: TrainProgress) -> TrainProgress:
    return replace(progress, fraction=TRAINED * progress.fraction)


def _atlas(brain: Brain, bench: Workbench, report: Report) -> bytes:
    """A sheet of what the brain's layers dream; the cells are kept for the next who asks. Raises CancelledError."""
    cells = []
    for news in atlas(brain, usual_source(), size=ATLAS_SIDE, cache=CellCache(bench.store.root / "cells")):
        if isinstance(news, Cell):
            cells.append(news)
        else:
            fraction = TRAINED + (1 - TRAINED) * news.fraction
            step, steps = len(cells) + 1, len(brain.card.layers)
            report.advance(TrainProgress(Phase.ATLAS, step=step, steps=steps, fraction=fraction, eta=news.eta))
    return encode_sheet(brain_sheet(brain.card, cells, ATLAS_SIDE, "dusk"), ".jpg")


def _result(bench: Workbench, outcome: Outcome, card: BrainCard, sheet: bytes) -> TrainResult:
    pictures, measured = outcome.pictures, outcome.trained.measured
    assert pictures.dreams is not None  # the best brain's is always there
    return TrainResult(
        brain=card.info(),
        classes=outcome.data.classes,
        images=len(outcome.data.dataset.pictures),
        epoch=outcome.trained.report.epoch,
        validation_accuracy=measured["validation_accuracy"],
        robust_accuracy=measured.get("robust_accuracy"),
        relit_accuracy=measured.get("relit_accuracy"),
        curves=bench.store.keep(encode_sheet(pictures.curves, ".png")),
        confusion=bench.store.keep(encode_sheet(pictures.confusion, ".png")),
        dreams=bench.store.keep(encode_sheet(pictures.dreams, ".jpg")),
        atlas=bench.store.keep(sheet),
        seconds=outcome.seconds,
        left_out=left_out_of(outcome.data)[:MAX_LEFT_OUT],
    )
