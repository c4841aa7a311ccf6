# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that goes in steps: generators that yield how far they are and return what they have made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import TypeVar

Told = TypeVar("Told")
News = TypeVar("News")
Answer = TypeVar("Answer")


def follow(steps: Generator[Told, None, Answer], tell: Callable[[Told], object]) -> Answer:
    """Take steps and tell of each, to their answer. An exception of `tell` ends the work, which has let go then."""
    with contextlib.closing(steps):
        while True:
            try:
                told = next(steps)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            tell(told)


def finish(steps: Generator[object, None, Answer]) -> Answer:
    """The answer, for those who need not know how far the work is."""
    return follow(steps, lambda _: None)


def retold(steps: Generator[Told, None, Answer], words: Callable[[Told], News]) -> Generator[News, None, Answer]:
    """The same steps to the same answer, told of in other words."""
    with contextlib.closing(steps):
        while True:
            try:
                told = next(steps)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            yield words(told)
