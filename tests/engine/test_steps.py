# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Generator

import pytest

from blender_deepdream.engine.steps import finish, follow


def work(done: list[str]) -> Generator[int, None, str]:
    try:
        yield 1
        yield 2
    finally:
        done.append("left")
    return "made"


def test_each_step_is_told_and_the_answer_returned():
    told: list[int] = []
    assert follow(work([]), told.append) == "made"
    assert told == [1, 2]


def test_whoever_is_told_can_end_the_work():
    done: list[str] = []

    def enough(step: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        follow(work(done), enough)
    assert done == ["left"]


def test_the_answer_alone():
    assert finish(work([])) == "made"
