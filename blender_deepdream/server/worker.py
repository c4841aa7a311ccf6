# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process: the engine, one job after the other, behind two pipes. `supervisor` is its other side.

It reads lines of JSON, `{"do": "dream" | "cancel", "id", "request"}`, and writes lines of JSON,
`{"is": "ready" | "progress" | "done" | "failed", ...}`. It ends when its input ends: then the server is gone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..protocol.errors import (
    CancelledError,
    DeepDreamError,
    ImageError,
    InternalError,
    MissingBlobError,
    OutOfMemoryError,
)
from ..protocol.messages import DreamRequest, DreamResult, Progress
from .store import Store

if TYPE_CHECKING:
    from ..engine.images import Image

log = logging.getLogger(__name__)


class Channel:
    """The two pipes. A thread of its own listens, so that a cancel and the server's end are heard during a dream."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._orders: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        threading.Thread(target=self._listen, name="channel", daemon=True).start()

    def next_order(self) -> Mapping[str, Any]:
        """The next job to dream; blocks until there is one."""
        return self._orders.get()

    def is_cancelled(self, job_id: str) -> bool:
        return job_id in self._cancelled

    def send(self, **message: Any) -> None:
        try:
            self._outgoing.write(json.dumps(message).encode() + b"\n")
            self._outgoing.flush()
        except OSError:
            os._exit(0)  # nobody hears us any more

    def _listen(self) -> None:
        # raw reads in a thread that never ends by itself: leave the process without ceremony when the server is gone
        for line in self._incoming:
            order = json.loads(line)
            if order["do"] == "cancel":
                self._cancelled.add(order["id"])
            else:
                self._cancelled.discard(order["id"])
                self._orders.put(order)
        os._exit(0)


class Dreamer:
    """The engine with its brains, which stay loaded from job to job."""

    def __init__(self, store: Store, device: str, threads: int | None) -> None:
        from ..engine.brain import Brain
        from .dreaming import choose_device

        self._store = store
        self._device = choose_device(device, threads)
        self._brains: dict[str, Brain] = {}

    def describe(self) -> dict[str, Any]:
        """The message that we are ready, and what for."""
        from ..engine import zoo
        from ..engine.dream import fingerprint

        return {
            "device": str(self._device),
            "fingerprint": fingerprint(self._device),
            "brains": [brain.to_json() for brain in zoo.list_brains()],
            "free_memory": self.free_memory(),
        }

    def dream(self, job_id: str, request: DreamRequest, channel: Channel) -> DreamResult:
        """Dream one request into the store. Raises what the engine raises, CancelledError, StorageError."""
        from ..engine import zoo
        from .dreaming import dream_file

        start = time.monotonic()
        source = self._image(request.source)
        mask, guide = (None if blob is None else self._image(blob) for blob in (request.mask, request.guide))
        name = request.settings.brain
        if name not in self._brains:
            self._brains[name] = zoo.load_brain(name, self._device)
        target = self._store.temporary_path(".exr")
        try:
            brain, settings = self._brains[name], request.settings
            steps = dream_file(source, target, brain, settings, request.color_space, mask=mask, guide=guide)
            image = _follow(steps, job_id, channel)
            sha = self._store.adopt(target)
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

    def free_memory(self) -> int | None:
        """Free bytes of the device; None where nobody can say."""
        import torch

        if self._device.type == "cuda":
            return int(torch.cuda.mem_get_info(self._device)[0])
        if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return None

    def _image(self, sha: str) -> Path:
        if not self._store.blob_is_good(sha):
            raise MissingBlobError(f"The server's copy of blob {sha} is missing or damaged.", "Send the image again.")
        return self._store.blob_path(sha)


def _follow(steps: Generator[Progress, None, Image], job_id: str, channel: Channel) -> Image:
    """Take a dream's steps and tell of each. Raises CancelledError at the first after a cancel."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            image: Image = end.value
            return image
        if channel.is_cancelled(job_id):
            raise CancelledError("The job was cancelled.")
        channel.send(**{"is": "progress"}, id=job_id, progress=progress.to_json())


def main() -> None:
    options = _parse()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s worker: %(message)s", stream=sys.stderr)
    # Ctrl-C in a terminal reaches the server too, which then ends us
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(*_take_pipes())
    try:
        dreamer = Dreamer(Store(options.data), options.device, options.threads)
        channel.send(**{"is": "ready"}, **dreamer.describe())
    except Exception as error:  # the boundary of the process: the server tells those who wait for us
        log.exception("the engine does not start")
        channel.send(**{"is": "unusable"}, error=_wire(error))
        os._exit(1)
    while True:
        order = channel.next_order()
        outcome = _answer(dreamer, order, channel)
        channel.send(id=order["id"], free_memory=dreamer.free_memory(), **outcome)


def _answer(dreamer: Dreamer, order: Mapping[str, Any], channel: Channel) -> dict[str, Any]:
    try:
        request = DreamRequest.from_json(order["request"])
        return {"is": "done", "result": dreamer.dream(order["id"], request, channel).to_json()}
    except Exception as error:  # the boundary of the process: report it, keep working
        if not isinstance(error, DeepDreamError):
            log.exception("job %s met a defect", order["id"])
        return {"is": "failed", "error": _wire(error)}


def _wire(error: Exception) -> dict[str, str]:
    if isinstance(error, DeepDreamError):
        return error.to_wire()
    if isinstance(error, MemoryError):
        return OutOfMemoryError("There is too little memory for this image.", "Dream a smaller one.").to_wire()
    return InternalError(f"The engine met a defect: {type(error).__name__}: {error}", "The log says more.").to_wire()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our ends of the pipes, out of everybody else's way: what a library prints goes to the log instead."""
    incoming = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, sys.stdin.fileno())
    os.close(null)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return incoming, outgoing


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The dream server's worker; the server starts it.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    main()
