# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker does for each kind of job.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..engine.steps import follow
from ..protocol.atlas import AtlasRequest
from ..protocol.brains import ImportBrainRequest, PullBrainRequest
from ..protocol.jobs import JobRequest, JobResult
from ..protocol.kitsch import KitschRequest
from ..protocol.messages import DreamRequest, DreamResult
from ..protocol.surface import SurfaceRequest
from ..protocol.training import TrainRequest, TrainResult
from .as_sent import said_as_sent
from .dreaming import dream_file
from .pixels import check_pixels
from .report import Report
from .work_atlas import dream_atlas
from .work_brains import import_brain, pull_brain
from .work_kitsch import look_at_images
from .work_surface import dream_sheets
from .workbench import Workbench


def work(bench: Workbench, request: JobRequest, brains: Mapping[str, str], report: Report) -> JobResult:
    """Do what is asked. brains: the ids of those that the job was promised, by name.

    Raises what the engine raises, CancelledError, GaveWayError, StorageError.
    """
    check_pixels(request, bench.store, bench.pixels)
    return _WORK[request.KIND](bench, request, brains, report)


def _dream(bench: Workbench, request: DreamRequest, brains: Mapping[str, str], report: Report) -> DreamResult:
    start = time.monotonic()
    for blob in request.blobs:
        bench.blob(blob)
    target, detail = (bench.store.temporary_path(".exr") for _ in range(2))
    # each is looked up in the library once, however many parts of the dream ask for it
    load = functools.cache(lambda name: bench.brain(name, brains))
    try:
        with said_as_sent(bench.store, _names(request)):
            place = functools.partial(bench.last_frame.chain, request, bench.store.blob_path, detail)
            steps = dream_file(request, target, load, bench.store.blob_path, report.show, place)
            image = follow(steps, report.advance)
        sha = bench.store.adopt(target)
        handed_on = bench.store.adopt(detail) if request.keep else None
        if handed_on:
            bench.last_frame.stored(bench.store.blob_path(handed_on))
    finally:
        for path in (target, detail):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return DreamResult(sha, image.width, image.height, round(time.monotonic() - start, 3), handed_on)


def _names(request: DreamRequest) -> dict[str, str]:
    """What each blob is to those who sent it."""
    names = {request.source: "The image", request.mask: "The mask", request.guide: "The guide"}
    for number, region in enumerate(request.regions, 1):
        names |= {region.mask: f"The mask of region {number}", region.guide: f"The guide of region {number}"}
    if follows := request.follows:
        names |= {follows.source: "The frame before", follows.detail: "The dream of the frame before"}
        names |= {follows.motion: "The motion pass", follows.motion_before: "The motion pass of the frame before"}
    return {blob: name for blob, name in names.items() if blob}


def _train(bench: Workbench, request: TrainRequest, brains: Mapping[str, str], report: Report) -> TrainResult:
    from .work_train import train_brain  # what draws takes its time to import, and most workers never train

    return train_brain(bench, request, brains, report)


_WORK: Mapping[str, Callable[[Workbench, Any, Mapping[str, str], Report], JobResult]] = {
    DreamRequest.KIND: _dream,
    AtlasRequest.KIND: dream_atlas,
    KitschRequest.KIND: look_at_images,
    SurfaceRequest.KIND: dream_sheets,
    ImportBrainRequest.KIND: import_brain,
    PullBrainRequest.KIND: pull_brain,
    TrainRequest.KIND: _train,
}
