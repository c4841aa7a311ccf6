# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process: the engine, one job after the other, behind two pipes. `supervisor` is its other side.

It reads lines of JSON, `{"do": "work" | "cancel" | "give_way" | "answer", ...}`, and writes lines of JSON, `{"is":
"ready" | "progress" | "preview" | "done" | "failed" | "answer", ...}`. It ends when its input ends: then the server is
gone. Questions are answered while a job is worked on, in the thread that listens.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..protocol.errors import CancelledError, DeepDreamError, GaveWayError, InternalError, OutOfMemoryError
from ..protocol.jobs import JobProgress, request_from_json
from ..protocol.nothing import MAX_PIXELS
from .heap import return_freed_memory
from .logs import log_to_stderr
from .memory import limit_memory
from .remote_store import open_store
from .threads import share_the_cores

if TYPE_CHECKING:
    from .workbench import Workbench

log = logging.getLogger(__name__)

Message = Mapping[str, Any]
Answerer = Callable[[Message], dict[str, Any]]


class Channel:
    """The two pipes. A thread of its own listens, so that a cancel and the server's end are heard during a dream."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = threading.Lock()
        self._orders: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._giving_way: set[str] = set()
        self._answerer: Answerer | None = None
        threading.Thread(target=self._listen, name="channel", daemon=True).start()

    def next_order(self) -> Message:
        """The next job to work on; blocks until there is one."""
        return self._orders.get()

    def answer_with(self, answerer: Answerer) -> None:
        """From now on questions are answered so; the server puts none before we are ready."""
        self._answerer = answerer

    def is_cancelled(self, job_id: str) -> bool:
        return job_id in self._cancelled

    def gives_way(self, job_id: str) -> bool:
        return job_id in self._giving_way

    def send(self, **message: Any) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._sending:
                self._outgoing.write(line)
                self._outgoing.flush()
        except OSError:
            os._exit(0)  # nobody hears us any more

    def _listen(self) -> None:
        # raw reads in a thread that never ends by itself: leave the process without ceremony when the server is gone
        for line in self._incoming:
            order = json.loads(line)
            if order["do"] == "cancel":
                self._cancelled.add(order["id"])
            elif order["do"] == "give_way":
                self._giving_way.add(order["id"])
            elif order["do"] == "answer":
                assert self._answerer is not None
                self.send(number=order["number"], **_outcome("answer", self._answerer, order))
            else:
                self._cancelled.discard(order["id"])
                self._giving_way.discard(order["id"])
                self._orders.put(order)
        os._exit(0)


class PipeReport:
    """What a job tells of itself on its way."""

    def __init__(self, channel: Channel, job_id: str) -> None:
        self._channel = channel
        self._job_id = job_id

    def advance(self, progress: JobProgress) -> None:
        """Raises CancelledError if nobody wants the job any more: nothing must be left behind then. Raises GaveWayError
        if others are to go first."""
        if self._channel.is_cancelled(self._job_id):
            raise CancelledError("The job was cancelled.")
        if self._channel.gives_way(self._job_id):
            raise GaveWayError("The job let others go first.")
        self._channel.send(**{"is": "progress"}, id=self._job_id, progress=progress.to_json())

    def show(self, jpeg: bytes) -> None:
        """The picture so far."""
        self._channel.send(**{"is": "preview"}, id=self._job_id, jpeg=base64.b64encode(jpeg).decode())


def main() -> None:
    share_the_cores()
    options = _parse()
    log_to_stderr(as_json=options.log_json, who="worker")
    # Ctrl-C in a terminal reaches the server too, which then ends us
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(*_take_pipes())
    try:
        from .workbench import Workbench

        store = open_store(options.data, options.shared)
        bench = Workbench(store, options.device, options.threads, options.number, options.pixels)
        limit_memory(options.memory, bench.device.type)
        channel.answer_with(bench.answer)
        channel.send(**{"is": "ready"}, free_memory=bench.free_memory(), **bench.describe())
    except Exception as error:  # the boundary of the process: the server tells those who wait for us
        log.exception("the engine does not start")
        channel.send(**{"is": "unusable"}, error=_wire(error))
        os._exit(1)
    while True:
        order = channel.next_order()
        outcome = _outcome("done", lambda order: _work(bench, order, channel), order)
        return_freed_memory()
        channel.send(id=order["id"], free_memory=bench.free_memory(), **outcome)


def _work(bench: Workbench, order: Message, channel: Channel) -> dict[str, Any]:
    from .work import work

    request = request_from_json(order["request"])
    return work(bench, request, order["brains"], PipeReport(channel, order["id"])).to_json()


def _outcome(what: str, doing: Answerer, order: Message) -> dict[str, Any]:
    """`what` with its value, or "failed" with an error."""
    try:
        return {"is": what, "value": doing(order)}
    except Exception as error:  # the boundary of the process: report it, keep working
        if not isinstance(error, DeepDreamError):
            log.exception("%s met a defect", order["do"], extra={"job": order.get("id", "")})
        return {"is": "answer" if what == "answer" else "failed", "error": _wire(error)}


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
    parser.add_argument("--shared", default="", help="address of the object store, of which --data has copies")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--number", type=int, default=0, help="which of several GPUs")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--pixels", type=int, default=MAX_PIXELS)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--log-json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
