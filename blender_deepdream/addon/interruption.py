# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C in a command line inside Blender, which would keep the signal to itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Ctrl-C raises KeyboardInterrupt, after what Blender is rendering; once more ends the process at once.

    The event is set as well: Blender swallows what a handler raises inside one of its own callbacks.
    """
    interrupted = threading.Event()

    def stop(*_: object) -> NoReturn:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of this block: raised in what Blender calls back, it would be printed and swallowed.

    Where Python does not handle the signal, or in another thread than the main one, nothing changes.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)  # a frame would keep what Blender called alive, a render engine, after Blender removed it
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(came[0], None)
