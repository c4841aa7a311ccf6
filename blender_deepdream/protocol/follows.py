# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame holds on to: the frame before it in the same shot, as it crosses the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import RequestError
from .wire import check_fields, check_flag, check_hash

MAX_TURN = 1e6


@dataclass(frozen=True, slots=True)
class Follows:
    """The frame before in the same shot, whose dream this one holds on to.

    detail: the blob that its result named. source: blob of its picture. motion, motion_before: blobs of multilayer EXRs
    with the Vector pass of this frame and of that one, and Depth; without them the motion is guessed from the pictures.
    turn: nine numbers, how the background moved (`engine.correspondence.Homography`); None if it did not, or nobody
    knows. backwards: that frame is the later one.
    """

    detail: str
    source: str
    motion: str | None = None
    motion_before: str | None = None
    turn: tuple[float, ...] | None = None
    backwards: bool = False

    @property
    def blobs(self) -> tuple[str, ...]:
        motions = [blob for blob in (self.motion, self.motion_before) if blob is not None]
        return (self.detail, *(motions or [self.source]))

    def to_json(self) -> dict[str, Any]:
        turn = None if self.turn is None else list(self.turn)
        return {name: getattr(self, name) for name in self.__slots__} | {"turn": turn}

    @classmethod
    def from_json(cls, data: object) -> Follows:
        """Raises RequestError."""
        check_fields(data, "frame before", set(cls.__slots__))
        assert isinstance(data, Mapping)
        motion, before, backwards = data.get("motion"), data.get("motion_before"), data.get("backwards", False)
        if (motion is None) != (before is None):
            raise RequestError("A frame before has motion and motion_before, or neither.")
        return cls(
            detail=check_hash(data.get("detail")),
            source=check_hash(data.get("source")),
            motion=None if motion is None else check_hash(motion),
            motion_before=None if before is None else check_hash(before),
            turn=_check_turn(data.get("turn")),
            backwards=check_flag(backwards, "backwards"),
        )


def _check_turn(value: object) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, (list, tuple)) else ()
    good = all(isinstance(number, (int, float)) and abs(number) < MAX_TURN for number in numbers)
    if len(numbers) != 9 or not good or not abs(_determinant(numbers)) > 1 / MAX_TURN:
        raise RequestError("turn must be nine numbers, the rows of a matrix that can be inverted.")
    return tuple(float(number) for number in numbers)


def _determinant(rows: Sequence[float]) -> float:
    a, b, c, d, e, f, g, h, i = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
