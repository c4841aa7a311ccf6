# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
from itertools import count, islice

import pytest

from blender_deepdream.training.one_ahead import one_ahead


def test_answers_come_in_their_order():
    assert list(one_ahead(lambda number: number * number, range(20))) == [number**2 for number in range(20)]
    assert list(one_ahead(str, [])) == []


def test_the_next_one_is_made_while_one_is_used_and_no_more():
    begun = [threading.Event() for _ in range(4)]

    def make(number: int) -> int:
        begun[number].set()
        return number

    answers = one_ahead(make, range(4))
    assert next(answers) == 0
    assert begun[1].wait(10)
    assert not begun[2].wait(0.05)


def test_it_stops_where_nobody_asks_any_more():
    made: list[int] = []
    assert list(islice(one_ahead(made.append, count()), 3)) == [None] * 3
    assert len(made) <= 5


def test_an_error_comes_where_the_answer_would():
    answers = one_ahead(lambda number: 1 // number, [1, 0, 1])
    assert next(answers) == 1
    with pytest.raises(ZeroDivisionError):
        next(answers)
