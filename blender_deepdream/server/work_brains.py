# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's side of jobs that bring a brain into the library.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..engine.brain import BrainCard
from ..engine.pull import offer, pull
from ..protocol.brains import Advance, BrainResult, ImportBrainRequest, PullBrainRequest
from .as_sent import said_as_sent
from .report import Report
from .workbench import Workbench


def import_brain(bench: Workbench, request: ImportBrainRequest, _: Mapping[str, str], report: Report) -> BrainResult:
    """Raises InputError for a name that cannot be or is taken, BrainFileError, StorageError, CancelledError,
    MissingBlobError."""
    paths = {what: bench.blob(blob) for what, blob in request.files.items()}
    with said_as_sent(bench.store, {blob: f"The {what}" for what, blob in request.files.items()}):
        if request.file is not None:
            card = bench.library.add_file(paths["file"], request.name, replace_old=request.replace)
        else:
            card = _from_caffe(bench, request, paths, report)
    return BrainResult(card.info())


def pull_brain(bench: Workbench, request: PullBrainRequest, _: Mapping[str, str], report: Report) -> BrainResult:
    """Raises UnknownBrainError for one that nobody offers, InputError for a name that is taken, PullError,
    BrainFileError, StorageError, CancelledError."""

    def tell(done: int, total: int) -> None:
        report.advance(Advance(done, total, "bytes"))

    return BrainResult(pull(offer(request.name), bench.library, tell, replace_old=request.replace).info())


def _from_caffe(bench: Workbench, request: ImportBrainRequest, paths: Mapping[str, Path], report: Report) -> BrainCard:
    from ..engine.caffe.importing import import_caffe

    assert request.name is not None
    # before anything large is read
    bench.library.check_free(request.name, replace_old=request.replace)
    size = sum(path.stat().st_size for path in paths.values())
    report.advance(Advance(0, size, "bytes"))
    imported = import_caffe(
        paths["prototxt"],
        paths["caffemodel"],
        name=request.name,
        mean=paths.get("mean"),
        classes=paths.get("classes"),
        licence=request.licence,
    )
    report.advance(Advance(size, size, "bytes"))
    return bench.library.add(imported.card, imported.tensors, imported.description, replace_old=request.replace)
