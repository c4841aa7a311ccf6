# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from blender_deepdream.engine.octaves import Size
from blender_deepdream.engine.pace import Pace


def test_an_octave_weighs_as_much_as_its_pixels(monkeypatch):
    now = iter([100.0, 101.0, 102.0, 106.0, 110.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    steps = Pace((Size(1, 10), Size(4, 10)), 2)
    first, second, third, last = (steps.after_step(value) for value in (1.0, 2.0, 3.0, 4.0))
    assert [p.fraction for p in (first, second, third, last)] == [0.1, 0.2, 0.6, 1.0]
    assert [p.eta for p in (first, second, third, last)] == pytest.approx([9, 8, 4, 0])
    assert (third.octave, third.octaves, third.step, third.steps, third.value) == (2, 2, 1, 2, 3.0)
