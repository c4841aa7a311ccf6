# SPDX-License-Identifier: GPL-3.0-or-later
"""What dreaming a scene's frames will take, in seconds and in bytes, as far as its last dreams tell."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..protocol.errors import DeepDreamError
from ..protocol.settings import DreamSettings
from . import changes
from .cache import scene_cache
from .counting import Counted
from .kept_frames import Made, passes_mark
from .node import DreamNode, find_nodes
from .pace import RENDER, REST, Pace, dream_work, pace_path
from .preferences import server_address
from .request import Wishes, is_coherent
from .room import size_words
from .run import time_words
from .status import asked

_PASSES_BYTES, _DREAM_BYTES, _HANDED_ON_BYTES = 20, 12, 5
"""Of a pixel, measured: the passes of one view layer, a dream, what it hands on to the next frame."""


@dataclass(frozen=True)
class Forecast:
    """frames: of the range, in all. missing: how many of them are rendered or dreamed. seconds: for one that is, all
    in all, and for the whole range; None where nothing is known yet. room: bytes of the cache in the end."""

    frames: int
    missing: int
    each: float | None
    seconds: float | None
    room: int

    @property
    def time_text(self) -> str:
        """`About 4 min for 24 frames (10 s each)`; empty where nothing is known."""
        if self.each is None or self.seconds is None:
            return ""
        if not self.missing:
            return f"All {self.frames} frames are dreamed: about {time_words(self.seconds)} to write them"
        whole, each = time_words(self.seconds), time_words(self.each)
        if self.missing < self.frames:
            return f"About {whole} for {self.missing} of {self.frames} frames ({each} each)"
        return f"About {whole} for {self.frames} frame{'s' * (self.frames != 1)} ({each} each)"

    @property
    def room_text(self) -> str:
        return f"About {size_words(self.room)} with all {self.frames} frames"


def forecast(scene: bpy.types.Scene, counted: Counted) -> Forecast | None:
    """Of the scene's range of frames, as things are set now; None where it cannot dream.

    Keyframed settings are taken as they are at this frame.
    """
    try:
        dreams = [(dream, dream.group.deepdream.to_settings()) for dream in find_nodes(scene)]
    except DeepDreamError:  # the dream itself will tell
        return None
    frames = range(scene.frame_start, scene.frame_end + 1, scene.frame_step)
    if not dreams or not frames:
        return None
    rendered = _rendered(scene, counted)
    undreamed = [_undreamed(frames, dream, counted, rendered) for dream, _ in dreams]
    seconds = _Seconds(scene, [settings for _, settings in dreams])
    missing = len(set().union(*undreamed))
    unrendered = [frame for frame in frames if frame not in rendered]
    room = counted.room.size + _growth(scene, counted, dreams, unrendered, undreamed)
    return Forecast(
        len(frames),
        missing,
        seconds.each(renders=bool(unrendered)),
        seconds.all(len(frames), len(unrendered), [len(some) for some in undreamed]),
        room,
    )


class _Seconds:
    """What each part of the work takes for one frame; None where it is not known."""

    def __init__(self, scene: bpy.types.Scene, settings: Sequence[DreamSettings]) -> None:
        pace, pixels, where = _pace(scene), render_pixels(scene), server_address()
        self._render, self._rest = (_times(pace.rates.get(name), pixels) for name in (RENDER, REST))
        self._dreams = [_times(pace.dream_rate(where, one), dream_work(one, pixels)) for one in settings]

    def each(self, *, renders: bool) -> float | None:
        return self.all(1, int(renders), [1] * len(self._dreams))

    def all(self, frames: int, rendered: int, dreamed: Sequence[int]) -> float | None:
        """So many frames, of which so many are rendered, and so many dreamed by each node."""
        parts = [(self._rest, frames), (self._render, rendered), *zip(self._dreams, dreamed, strict=True)]
        seconds = 0.0
        for one, count in parts:
            if count and one is None:
                return None
            seconds += count * (one or 0.0)
        return seconds


def render_pixels(scene: bpy.types.Scene) -> float:
    render = scene.render
    pixels = render.resolution_x * render.resolution_y * (render.resolution_percentage / 100) ** 2
    if render.use_border:
        pixels *= (render.border_max_x - render.border_min_x) * (render.border_max_y - render.border_min_y)
    return float(pixels)


def _times(rate: float | None, amount: float) -> float | None:
    return None if rate is None else rate * amount


def _pace(scene: bpy.types.Scene) -> Pace:
    root = scene_cache(scene).root
    try:
        written = pace_path(root).stat().st_mtime_ns
    except OSError:
        written = 0
    return _read_pace(root, written)


@functools.lru_cache(maxsize=8)
def _read_pace(root: Path, _written: int) -> Pace:
    """Panels are drawn often; it is read again when it was written again."""
    return Pace(root)


def _rendered(scene: bpy.types.Scene, counted: Counted) -> set[int]:
    """Frames whose passes are still good, as far as is told without looking at pixels."""
    if scene.deepdream.rerender:
        return set()
    now = {"blend": counted.blend, "unsaved": changes.unsaved_state()} | changes.frame_shape(scene, scene)
    mark = passes_mark(now)
    return {frame for frame, made in counted.frames.passes.items() if made.of == mark}


def _undreamed(frames: range, dream: DreamNode, counted: Counted, rendered: set[int]) -> list[int]:
    kept, wanted = _dreams_of(dream, counted), asked(dream.group.deepdream)
    return [frame for frame in frames if frame not in rendered or frame not in kept or kept[frame].of != wanted]


def _dreams_of(dream: DreamNode, counted: Counted) -> Mapping[int, Made]:
    return counted.frames.dreams.get(dream.id[:8], {})


def _growth(
    scene: bpy.types.Scene,
    counted: Counted,
    dreams: Sequence[tuple[DreamNode, DreamSettings]],
    unrendered: Sequence[int],
    undreamed: Sequence[Sequence[int]],
) -> int:
    """Bytes that come to lie there, less those of the files that make way for them."""
    pixels, layers = render_pixels(scene), sum(layer.use for layer in scene.view_layers)
    bytes_more = _added(counted.frames.passes, unrendered, pixels * layers * _PASSES_BYTES)
    for (dream, _), frames in zip(dreams, undreamed, strict=True):
        of_a_pixel = _DREAM_BYTES + _HANDED_ON_BYTES * is_coherent(dream.group.deepdream, Wishes())
        bytes_more += _added(_dreams_of(dream, counted), frames, pixels * of_a_pixel)
    return int(bytes_more)


def _added(kept: Mapping[int, Made], frames: Sequence[int], guess: float) -> float:
    """For files of these frames, each as large as the kept ones are on average; as the guess where there are none."""
    sizes = [made.size for made in kept.values()]
    one = sum(sizes) / len(sizes) if sizes else guess
    return one * len(frames) - sum(kept[frame].size for frame in frames if frame in kept)
