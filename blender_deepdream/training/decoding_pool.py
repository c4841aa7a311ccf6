# SPDX-License-Identifier: GPL-3.0-or-later
"""Many image files, decoded in processes of their own: as many as there are cores, in bounded memory.

A file that brings its decoder down takes a process with it and not the training.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from .decoding import Decoded, LeftOutError, Reason, decode

Answer = Decoded | LeftOutError

_AHEAD = 4
"""Files under way for each process: their pixels wait in memory."""


def decode_all(paths: Sequence[Path], side: int) -> Generator[tuple[Path, Answer], None, None]:
    """Each file's square of this side, or why it is left out, in the order in which they are done."""
    left = yield from _decode(paths, side, os.cpu_count() or 1, _AHEAD)
    while left:
        # one of these brought a process down: alone in it, it is known
        left = yield from _decode(left, side, 1, 1)
        if left:
            # not for good: its process may have been ended from outside, for want of memory
            yield left[0], LeftOutError(Reason.UNREADABLE, "its decoder broke down")
        left = left[1:]


def _decode(
    paths: Sequence[Path], side: int, processes: int, ahead: int
) -> Generator[tuple[Path, Answer], None, list[Path]]:
    """Returns the files that are not answered for, because a process broke down; the oldest under way first."""
    waiting = deque(paths)
    under_way: dict[Future[Answer], Path] = {}
    count = max(1, min(processes, len(paths)))
    # not forked, for this process has threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, _end_with_parent) as pool:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < ahead * count:
                    future = pool.submit(_answer, waiting[0], side)
                    under_way[future] = waiting.popleft()
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    answer = done.result()
                    yield under_way.pop(done), answer
        except BrokenProcessPool:
            return [*under_way.values(), *waiting]
        finally:
            pool.shutdown(cancel_futures=True)
    return []


def _answer(path: Path, side: int) -> Answer:
    try:
        return decode(path, side)
    except LeftOutError as error:
        return LeftOutError(error.reason, error.detail)
    except Exception as error:  # the process's boundary: whatever a stranger's bytes have led to, it is told
        return LeftOutError(Reason.DAMAGED, f"{type(error).__name__}: {error}"[:200])


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
