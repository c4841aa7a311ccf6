# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that goes in steps: generators that yield how far they are and return what they have made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

Told = TypeVar("Told")
News = TypeVar("News")
Answer = TypeVar("Answer")


class Answered(Generic[Told, Answer]):
    """Steps to iterate over that keep what they return. answer: that, once they have ended."""

    answer: Answer

    def __init__(self, steps: Generator[Told, None, Answer]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Told]:
        self.answer = yield from self._steps


def follow(steps: Generator[Told, None, Answer], tell: Callable[[Told], object]) -> Answer:
    """Take steps and tell of each, to their answer. An exception of `tell` ends the work, which has let go then."""
    answered = Answered(steps)
    with contextlib.closing(steps):
        for told in answered:
            tell(told)
    return answered.answer


def finish(steps: Generator[object, None, Answer]) -> Answer:
    """The answer, for those who need not know how far the work is."""
    return follow(steps, lambda _: None)


def retold(steps: Generator[Told, None, Answer], words: Callable[[Told], News]) -> Generator[News, None, Answer]:
    """The same steps to the same answer, told of in other words."""
    answered = Answered(steps)
    with contextlib.closing(steps):
        for told in answered:
            yield words(told)
    return answered.answer
