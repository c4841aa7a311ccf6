# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker does for each kind of job.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

from ..protocol.atlas import AtlasRequest
from ..protocol.errors import ImageError
from ..protocol.jobs import JobProgress, JobRequest, JobResult
from ..protocol.messages import DreamRequest, DreamResult
from .dreaming import dream_file
from .report import Report
from .store import Store
from .work_atlas import dream_atlas
from .workbench import Workbench

Answer = TypeVar("Answer")


def work(bench: Workbench, request: JobRequest, brains: Mapping[str, str], report: Report) -> JobResult:
    """Do what is asked. brains: the ids of those that the job was promised, by name.

    Raises what the engine raises, CancelledError, StorageError.
    """
    return _WORK[request.KIND](bench, request, brains, report)


def _dream(bench: Workbench, request: DreamRequest, brains: Mapping[str, str], report: Report) -> DreamResult:
    start = time.monotonic()
    for blob in request.blobs:
        bench.image(blob)
    target = bench.store.temporary_path(".exr")
    try:
        load = functools.partial(bench.brain, wanted=brains)
        image = _follow(dream_file(request, target, load, bench.store.blob_path, report.show), report)
        sha = bench.store.adopt(target)
    except ImageError as error:
        raise ImageError(_as_sent(error.message, request, bench.store), error.hint) from error
    finally:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
    return DreamResult(sha, image.width, image.height, round(time.monotonic() - start, 3))


def _as_sent(message: str, request: DreamRequest, store: Store) -> str:
    """The message with words for the files in it: blobs mean nothing to those who sent images."""
    names = {request.source: "The image", request.mask: "The mask", request.guide: "The guide"}
    for number, region in enumerate(request.regions, 1):
        names |= {region.mask: f"The mask of region {number}", region.guide: f"The guide of region {number}"}
    for blob, what in names.items():
        message = message.replace(str(store.blob_path(blob)), what) if blob else message
    return message


def _follow(steps: Generator[JobProgress, None, Answer], report: Report) -> Answer:
    """Take steps and tell of each, to their answer."""
    while True:
        try:
            report.advance(next(steps))
        except StopIteration as end:
            answer: Answer = end.value
            return answer


_WORK: Mapping[str, Callable[[Workbench, Any, Mapping[str, str], Report], JobResult]] = {
    DreamRequest.KIND: _dream,
    AtlasRequest.KIND: dream_atlas,
}
