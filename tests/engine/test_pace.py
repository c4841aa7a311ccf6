# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Generator

import pytest

from blender_deepdream.engine.ascent import Part
from blender_deepdream.engine.octaves import Size
from blender_deepdream.engine.pace import Pace
from blender_deepdream.protocol.messages import Progress


def test_an_octave_weighs_as_much_as_its_pixels(monkeypatch):
    now = iter([100.0, 101.0, 102.0, 106.0, 110.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    steps = Pace((Size(1, 10), Size(4, 10)), 2)
    first, second, third, last = (steps.after_step(value) for value in (1.0, 2.0, 3.0, 4.0))
    assert [p.fraction for p in (first, second, third, last)] == [0.1, 0.2, 0.6, 1.0]
    assert [p.eta for p in (first, second, third, last)] == pytest.approx([9, 8, 4, 0])
    assert (third.octave, third.octaves, third.step, third.steps, third.value) == (2, 2, 1, 2, 3.0)


def test_parts_of_a_step_lie_between_steps():
    def step() -> Generator[Part, None, str]:
        yield Part(0.25, 7.0)
        yield Part(0.75, 8.0)
        return "change"

    def told() -> Generator[Progress, None, None]:
        answers.append((yield from steps.during_step(step())))

    answers: list[str] = []
    steps = Pace((Size(1, 10), Size(3, 10)), 1)
    steps.after_step(1.0)
    seen = list(told())
    assert [p.fraction for p in seen] == pytest.approx([0.25 + 0.75 / 4, 0.25 + 0.75 * 3 / 4])
    assert [(p.octave, p.step, p.value) for p in seen] == [(2, 1, 7.0), (2, 1, 8.0)]
    assert answers == ["change"]
    assert steps.after_step(9.0).fraction == 1
