# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells of itself."""

from __future__ import annotations

import pytest

from blender_deepdream.addon.run import Event, Stopwatch
from blender_deepdream.protocol.messages import Progress


def test_an_event_says_where_the_work_is() -> None:
    progress = Progress(octave=2, octaves=4, step=5, steps=10, value=0.0, fraction=0.5, eta=14.2)
    event = Event(12, 2, 24, "dream", "DeepDream", progress)
    assert event.text == "Frame 12 (3 of 24): dreaming, octave 2 of 4, 14 s left of this frame"
    assert event.fraction == pytest.approx(2.5 / 24)
    assert Event(12, 2, 24, "composite").fraction == pytest.approx(3 / 24)


def test_a_stopwatch_adds_up() -> None:
    seconds = Stopwatch()
    seconds.add("dream", 1.5)
    seconds.add("dream", 0.5)
    with seconds.timed("render"):
        pass
    assert seconds["dream"] == 2
    assert seconds["render"] >= 0
