# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Generator

import pytest

from blender_deepdream.engine.steps import finish, follow, retold


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

    with pytest.raises(RuntimeError, match="enough") as error:  # which knows what was under way
        follow(work(done), enough)
    assert done == ["left"]
    assert error.traceback


def test_the_answer_alone():
    assert finish(work([])) == "made"


def test_steps_can_be_told_of_in_other_words():
    told: list[str] = []
    assert follow(retold(work([]), str), told.append) == "made"
    assert told == ["1", "2"]


def test_whoever_stops_to_listen_to_other_words_ends_the_work():
    done: list[str] = []
    steps = work(done)
    words = retold(steps, str)
    next(words)
    words.close()
    assert done == ["left"]
