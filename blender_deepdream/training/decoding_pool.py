# SPDX-License-Identifier: GPL-3.0-or-later
"""Many image files, decoded in processes of their own: as many as there are cores, in bounded memory.

A file that brings its decoder down takes a process with it and not the training.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from .decoding import Decoded, LeftOutError, Reason, decode

Answer = Decoded | LeftOutError

_AHEAD = 4
"""Files under way for each process: their pixels wait in memory."""


def decode_all(paths: Sequence[Path], side: int) -> Iterator[tuple[Path, Answer]]:
    """Each file's square of this side, or why it is left out, in the order in which they are done."""
    suspects: list[Path] = []
    for path, answer in _decode(paths, side, os.cpu_count() or 1):
        if answer is None:
            suspects.append(path)
        else:
            yield path, answer
    # one of them brought a process down: alone, each answers for itself
    for path in suspects:
        for _, answer in _decode([path], side, 1):
            yield path, answer or LeftOutError(Reason.DAMAGED, "its decoder broke down")


def _decode(paths: Sequence[Path], side: int, processes: int) -> Iterator[tuple[Path, Answer | None]]:
    """None: the processes broke down before this file was done."""
    waiting = iter(paths)
    under_way: dict[Future[Answer], Path] = {}
    # neither forked, for this process has threads, nor left alone when it is killed
    context = multiprocessing.get_context("spawn")
    count = max(1, min(processes, len(paths)))
    with ProcessPoolExecutor(count, context, _end_with_parent) as pool:
        try:
            while True:
                for path in itertools.islice(waiting, _AHEAD * count - len(under_way)):
                    under_way[pool.submit(_answer, path, side)] = path
                if not under_way:
                    return
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    path = under_way.pop(done)
                    yield path, None if isinstance(done.exception(), BrokenProcessPool) else done.result()
        except BrokenProcessPool:  # said by `submit`
            yield from ((path, None) for path in (path, *under_way.values(), *waiting))
        finally:
            pool.shutdown(cancel_futures=True)


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
