# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker does for each kind of job.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeVar

from ..protocol.errors import ImageError
from ..protocol.jobs import JobProgress, JobRequest, JobResult
from ..protocol.messages import DreamRequest, DreamResult
from .dreaming import dream_file
from .workbench import Workbench

Answer = TypeVar("Answer")


class Report(Protocol):
    """Whom a job tells of its way. `advance` raises CancelledError when nobody wants the job any more."""

    def advance(self, progress: JobProgress) -> None: ...
    def show(self, jpeg: bytes) -> None: ...


def work(bench: Workbench, request: JobRequest, brains: Mapping[str, str], report: Report) -> JobResult:
    """Do what is asked. brains: the ids of those that the job was promised, by name.

    Raises what the engine raises, CancelledError, StorageError.
    """
    return _WORK[request.KIND](bench, request, brains, report)


def _dream(bench: Workbench, request: DreamRequest, brains: Mapping[str, str], report: Report) -> DreamResult:
    start = time.monotonic()
    source = bench.image(request.source)
    mask, guide = (None if blob is None else bench.image(blob) for blob in (request.mask, request.guide))
    brain, settings = bench.brain(request.settings.brain, brains), request.settings
    target = bench.store.temporary_path(".exr")
    try:
        steps = dream_file(
            source,
            target,
            brain,
            settings,
            request.color_space,
            mask=mask,
            guide=guide,
            show=report.show,
        )
        image = _follow(steps, report)
        sha = bench.store.adopt(target)
    except ImageError as error:
        # blobs mean nothing to those who sent images
        message = error.message
        for path, what in ((source, "The image"), (mask, "The mask"), (guide, "The guide")):
            message = message.replace(str(path), what)
        raise ImageError(message, error.hint) from error
    finally:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
    return DreamResult(sha, image.width, image.height, round(time.monotonic() - start, 3))


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
}
