# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame lists as render farms write them: `1-8,12,20-40x2`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from .errors import FrameRangeError

MAX_FRAMES = 1_048_574
"""Blender's own last frame."""

FARTHEST = 4
"""Frames that lie further apart than this are no film: each is a still of its own."""

_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})(?:x([0-9]{1,9}))?)?")


def parse_frames(text: str) -> list[int]:
    """The frames of a list, each once, in rising order. Raises FrameRangeError."""
    frames: set[int] = set()
    for part in text.replace(" ", "").split(","):
        frames.update(_parse_part(part, text))
    return sorted(frames)


def _parse_part(part: str, text: str) -> range:
    match = _PART.fullmatch(part)
    if not match:
        raise FrameRangeError(f"{text!r} is no list of frames.", "Write it like 1-8,12,20-40x2, from frame 0 on.")
    first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
    if max(first, last, step) > MAX_FRAMES:
        raise FrameRangeError(f"{part!r} goes beyond Blender's last frame, {MAX_FRAMES}.")
    if last < first or step < 1:
        raise FrameRangeError(f"{part!r} holds no frame.", "Write the smaller frame first, and a step of 1 or more.")
    return range(first, last + 1, step)


def frame_before(frame: int, frames: Sequence[int], step: int) -> int:
    """The frame that comes before one in a run; before the first, the one that would. frames: in rising order.

    step: how far frames lie apart where the run does not say.
    """
    place = bisect_left(frames, frame)
    return frames[place - 1] if place else frame - _step(frames, step)


def frame_after(frame: int, frames: Sequence[int], step: int) -> int:
    """The same for the frame that comes after one."""
    place = bisect_left(frames, frame + 1)
    return frames[place] if place < len(frames) else frame + _step(frames, step)


def _step(frames: Sequence[int], step: int) -> int:
    own = frames[1] - frames[0] if len(frames) > 1 else step
    return own if own <= FARTHEST else step
