# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's dream at one frame: the one on disk while it is good, else dreamed anew, from the frame before on."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from ..protocol.errors import StorageError
from ..protocol.messages import DreamRequest
from . import cache as files
from . import changes, history, node
from .cache import Cache
from .conversation import Conversation, Watch
from .node import DreamNode
from .pace import Pace, dream_name, dream_work
from .request import is_coherent, make_request
from .run import Event, Job
from .shots import Before, Shots, detail_path, has_detail, seen_path
from .sight import Files, Sight, captured_sight, size_of
from .status import asked
from .task import Finished
from .timeline import go_to


@dataclass(frozen=True)
class Wanted:
    """A node's dream at a frame. made_from: the hashes of all that the compositor shows there, before the node.

    before: the dream of the frame before, if it feeds or holds on to that.
    """

    frame: int
    dream: DreamNode
    made_from: Sequence[Any]
    before: Before | None


class Dreaming:
    """What the nodes of a run dream.

    scene: looked up anew each time. saved: what `changes.saved_hashes` gave. pace: learns what dreams take. made: how
    many dreams were not there before. notes: what people must be told, in words; who tells them takes it away.
    """

    def __init__(
        self,
        job: Job,
        scene: Callable[[], bpy.types.Scene],
        server: Conversation,
        shots: Shots,
        saved: Sequence[Any],
        pace: Pace,
    ) -> None:
        self.notes: list[str] = []
        self.made = 0
        self._job = job
        self._scene_now = scene
        self._server = server
        self._shots = shots
        self._saved = [*saved]
        self._pace = pace
        self._run_in: list[int] = []
        self._passing = job.cache
        self._remembered: set[str] = set()
        self._finished: dict[str, int] = {}
        """By a node's id: the last frame that it has dreamed in this run, or has a good dream of."""

    @property
    def _scene(self) -> bpy.types.Scene:
        return self._scene_now()

    def path(self, frame: int, dream: DreamNode) -> Path:
        cache = self._passing if frame in self._run_in else self._job.cache
        return node.frame_path(cache.dreams(dream.folder_name), frame)

    def show(self, frame: int, dream: DreamNode) -> None:
        """Let the node show its dream of this frame, which is good."""
        node.show_dreams(dream, self.path(frame, dream), self._scene)
        self._finished[dream.id] = frame

    def begin_run_in(self, frames: Sequence[int]) -> None:
        """From now on these frames' dreams are passing ones."""
        self._run_in = [*frames]
        self._passing = Cache(self._job.cache.scratch("run-in"))

    def before(self, frame: int, dream: DreamNode, waiting: Event) -> Generator[Event, None, Before | None]:
        """Returns the dream of the frame before, if this one feeds or holds on to it and it is good. Yields `waiting`
        while the server is asked."""
        earlier, settings = self._shots.before(frame), dream.group.deepdream
        if earlier is None or not (settings.endless or self._holds_on(earlier, frame, dream)):
            return None
        good = self._finished.get(dream.id) == earlier
        if good or (not self._runs_in(frame) and (yield from self._was_good(earlier, dream, waiting))):
            return Before(earlier, self.path(earlier, dream), self._kept(earlier, dream))
        if not self._runs_in(frame) and (settings.endless or len(self._job.frames) > 1):
            self._begins_anew(frame, dream, f"frame {earlier} has no dream that today's settings would give")
        return None

    def _runs_in(self, frame: int) -> bool:
        """Whether a frame hangs together with the frames before it by the run-in alone, whatever lies on disk."""
        return bool(self._job.run_in) and frame <= min(self._job.frames)

    def _holds_on(self, earlier: int, frame: int, dream: DreamNode) -> bool:
        return is_coherent(dream.group.deepdream, self._job.wishes) and self._shots.together(earlier, frame)

    def _was_good(self, frame: int, dream: DreamNode, waiting: Event) -> Generator[Event, None, bool]:
        """Whether another frame's dream is on disk, and what its settings of today would give again."""
        kept = self._kept(frame, dream)
        if not kept or (self._job.reuse_captures and kept["made_from"][: len(self._saved)] != self._saved):
            return False
        found = self._scene.frame_current
        go_to(self._scene, frame)
        request, _ = self._request(frame, dream, Sight.from_json(kept))
        go_to(self._scene, found)
        return (yield from self._server.resolve(request, waiting)) == kept["job"]

    def _begins_anew(self, frame: int, dream: DreamNode, why: str) -> None:
        self.notes.append(f"Frame {frame} of {dream.name} begins anew with what reaches the node: {why}.")

    def good_job(self, wanted: Wanted, waiting: Event) -> Generator[Event, None, str | None]:
        """Returns the job of the dream on disk, if it is what today's settings and a saved, unchanged scene would give.
        Yields `waiting` while the server is asked."""
        kept = self._kept(wanted.frame, wanted.dream) if self._job.reuse_captures else {}
        if not kept or kept["made_from"] != [*wanted.made_from]:
            return None
        sight = Sight.from_json(kept)
        if sight != self._after(sight, wanted) and not self._ran_in(kept, wanted):
            return None
        request, _ = self._request(wanted.frame, wanted.dream, sight)
        good = yield from self._is_good(request, kept, wanted, waiting)
        return str(kept["job"]) if good else None

    def _ran_in(self, kept: Mapping[str, Any], wanted: Wanted) -> bool:
        """Whether it was dreamed after the same run-in, which need not be dreamed again to know."""
        return self._runs_in(wanted.frame) and wanted.before is None and kept.get("run_in") == self._job.run_in

    def _is_good(
        self, request: DreamRequest, kept: dict[str, Any], wanted: Wanted, waiting: Event
    ) -> Generator[Event, None, bool]:
        """Whether the dream on disk is what the request would give, with what it hands on."""
        if not kept or (yield from self._server.resolve(request, waiting)) != kept["job"]:
            return False
        if not request.keep:
            return True
        sight = Sight.from_json(kept)
        seen = kept.get("seen") or not self._shots.must_be_seen(wanted.frame, wanted.dream, sight)
        return seen and has_detail(self.path(wanted.frame, wanted.dream), kept)

    def _after(self, sight: Sight, wanted: Wanted) -> Sight:
        """What a node sees, with what it has of the frame before."""
        sight = replace(sight, before=None, follows=None)
        if wanted.before is None:
            return sight
        if wanted.dream.group.deepdream.endless:
            return self._shots.fed(sight, wanted.before)
        return self._shots.followed(sight, wanted.frame, wanted.dream, wanted.before)

    def dream(self, wanted: Wanted, captures: Path, watch: Watch) -> Iterator[Event]:
        """Dream what was captured for a node, unless just that lies on disk already. Returns the job's id."""
        frame, dream = wanted.frame, wanted.dream
        sight = self._after(captured_sight(dream.id, captures), wanted)
        if wanted.before and not (sight.before or sight.follows):
            self._begins_anew(frame, dream, self._obstacle(sight, wanted.before))
        request, more = self._request(frame, dream, sight)
        path, kept = self.path(frame, dream), self._kept(frame, dream)
        key = sight.to_json() | {"made_from": [*wanted.made_from], "run_in": self._job.run_in * self._runs_in(frame)}
        key |= {"asked": asked(dream.group.deepdream), "unsaved": changes.unsaved_state()}
        if (yield from self._is_good(request, kept, wanted, watch.event(None))):
            files.record(path, kept | key)
            return kept["job"]
        temporary, detail = (self._job.cache.scratch(name) / path.name for name in ("dream", "detail"))
        blobs = {blob: (sight.files | more)[blob] for blob in request.blobs}
        finished: Finished = yield from self._server.dream(request, blobs, temporary, detail, watch)
        self.made += 1
        pixels = math.prod(sight.size or ())
        name = dream_name(self._job.where, request.settings)
        self._pace.learn(name, finished.seconds, dream_work(request.settings, pixels))
        seen = bool(finished.detail) and self._shots.must_be_seen(frame, dream, sight)
        if finished.detail:
            files.place(detail, detail_path(path))
        if seen:
            files.place(sight.files[sight.image], seen_path(path))
        files.keep(temporary, path, key | {"job": finished.job, "detail": finished.detail, "seen": seen})
        self._remember(frame, dream)
        return finished.job

    def _remember(self, frame: int, dream: DreamNode) -> None:
        """Once in a run; a batch is told what to dream, and a farm's many processes share the folder."""
        if not self._job.reuse_captures and dream.id not in self._remembered:
            self._remembered.add(dream.id)
            try:
                history.remember(dream.group, self.path(frame, dream), frame)
            except (StorageError, OSError) as error:  # the dream is finished, and the frames after it are wanted
                self.notes.append(f"The history of {dream.name} could not be written: {error}")

    def _obstacle(self, sight: Sight, before: Before) -> str:
        if size_of(before.path) != sight.size:
            return f"frame {before.frame} has another size"
        return f"frame {before.frame} has handed nothing on, or nobody knows how things have moved since"

    def _kept(self, frame: int, dream: DreamNode) -> dict[str, Any]:
        """What the dream on disk was made from; empty if there is none, or a damaged one."""
        return files.recorded(self.path(frame, dream)) or {}

    def _request(self, frame: int, dream: DreamNode, sight: Sight) -> tuple[DreamRequest, Files]:
        """What is asked for at this frame, and the files of its guides and masks."""
        return make_request(dream.group.deepdream, sight, frame, self._job.wishes, self._job.cache.scratch("images"))
