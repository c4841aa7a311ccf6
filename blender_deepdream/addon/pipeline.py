# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a frame: render 3D once, capture what the nodes see, dream it elsewhere, composite. Read this first.

`dream_frames` is a generator: each step of work yields an Event, so a batch drains it, a window advances it from a
timer, and whoever stops asking has cancelled. The scene is untouched whenever it yields.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import bpy

from ..protocol.client import DreamClient
from ..protocol.errors import DeepDreamError, SceneError, ServerUnavailableError
from ..protocol.messages import DreamRequest, Progress
from . import cache as files
from . import camera, changes, node, rendering
from .cache import Cache
from .node import DreamNode
from .request import Wishes, is_coherent, make_request
from .shots import Before, camera_of, detail_path, follow, has_detail, has_vectors, seen_path
from .sight import Files, Sight, captured_sight, size_of
from .task import DreamTask, Finished

_DOING = {
    "render": "rendering 3D",
    "capture": "capturing",
    "transfer": "sending",
    "dream": "dreaming",
    "composite": "compositing",
}
_Answer = TypeVar("_Answer")
Stage = Literal["render", "server", "capture", "transfer", "dream", "composite"]


@dataclass(frozen=True)
class Event:
    """Where the work is. done: frames finished before this one. progress: of the dream in hand.

    note: something that people must be told, in words; in one event only.
    """

    frame: int
    done: int
    total: int
    stage: Stage | Literal["finished"]
    node: str = ""
    progress: Progress | None = None
    note: str = ""

    @property
    def fraction(self) -> float:
        dreamed = self.stage in ("composite", "finished")
        inside = 1.0 if dreamed else self.progress.fraction if self.progress else 0.0
        return (self.done + inside) / self.total

    @property
    def text(self) -> str:
        """One line for people: `Frame 12 (3 of 24): dreaming, octave 2 of 4, 14 s left`."""
        where = f"Frame {self.frame} ({self.done + 1} of {self.total})"
        words = [_DOING.get(self.stage, self.stage)]
        if self.progress:
            words.append(f"octave {self.progress.octave} of {self.progress.octaves}")
            if self.progress.eta is not None:
                words.append(f"{self.progress.eta:.0f} s left")
        return f"{where}: {', '.join(words)}"


@dataclass
class Job:
    """What to dream and where it goes.

    output: gives a frame's file, or is None when the frame is only shown; file_format: Blender's name for its format.
    wishes: what stands above the nodes' own settings. only: the name of the one node to dream.
    reuse_captures: whether a saved scene's compositor may be taken as unchanged; in a window it may not.
    patience: seconds to wait for the server before yielding; 0 in a window.
    """

    scene: bpy.types.Scene
    frames: Sequence[int]
    cache: Cache
    connect: Callable[[], DreamClient]
    output: Callable[[int], Path] | None = None
    file_format: str = ""
    wishes: Wishes = field(default_factory=Wishes)
    only: str = ""
    rerender: bool = False
    reuse_captures: bool = False
    patience: float = 0.1
    seconds: dict[Stage, float] = field(default_factory=dict)


def dream_frames(job: Job) -> Iterator[Event]:
    """Render, dream and composite the frames in turn. Raises DeepDreamError; finished frames stay finished."""
    with closing(_Pipeline(job)) as pipeline:
        yield from pipeline.run()


class _Pipeline:
    def __init__(self, job: Job) -> None:
        if not job.frames:
            raise SceneError("There are no frames to dream.")
        if min(job.frames) < 0:
            raise SceneError("Frames below 0 cannot be dreamed.", "Move the animation to start at 0 or later.")
        self._job = job
        self._scene_id = job.scene.session_uid
        self._found_frame = (job.scene.frame_current, job.scene.frame_subframe)
        self._client: DreamClient | None = None
        self._shapes: dict[int, dict[str, Any]] = {}
        node.separate_copies()
        self._dreams = self._chosen(node.find_nodes(job.scene))
        rendering.check_scene(job.scene)
        files.make_folder(job.cache.root)
        job.cache.clear_scratch()
        self._saved = changes.saved_hashes()
        self._event = Event(job.frames[0], 0, len(job.frames), "render")
        self._finished: dict[str, int] = {}
        """By a node's id: the last frame that it has dreamed in this run, or has a good dream of."""
        self._views: dict[int, Any] = {}

    def close(self) -> None:
        """Leave nothing behind, whatever has become of the scene."""
        self._job.cache.clear_scratch()
        with suppress(SceneError):
            if self._scene.frame_current == self._event.frame:  # else the artist has moved on
                _go_to(self._scene, *self._found_frame)

    @property
    def _scene(self) -> bpy.types.Scene:
        """Looked up each time: an undo in mid-dream replaces all that Blender holds. Raises SceneError."""
        for scene in bpy.data.scenes:
            if scene.session_uid == self._scene_id:
                return scene
        raise SceneError("The scene that was dreaming is gone.", "Finished frames are kept.")

    def run(self) -> Iterator[Event]:
        for index, frame in enumerate(self._job.frames):
            self._event = Event(frame, index, len(self._job.frames), "render")
            yield self._event
            yield from self._frame(frame)
            yield self._now("finished")

    def _chosen(self, dreams: list[DreamNode]) -> list[DreamNode]:
        if not dreams:
            raise SceneError("The compositor has no DeepDream node.", "Add one: Add > DeepDream in the compositor.")
        chosen = [dream for dream in dreams if not self._job.only or dream.name == self._job.only]
        if not chosen:
            names = ", ".join(repr(dream.name) for dream in dreams)
            raise SceneError(f"There is no DeepDream node {self._job.only!r}.", f"There are: {names}.")
        if loose := next((dream for dream in chosen if not dream.linked), None):
            raise SceneError(f"Nothing is linked to the DeepDream node {loose.name!r}.", "Link an image, or mute it.")
        return chosen

    def _frame(self, frame: int) -> Iterator[Event]:
        _go_to(self._scene, frame)
        self._views[frame] = camera.view(self._scene)
        # anew for each frame: masks animate, and in a window nodes come and go
        self._dreams = self._chosen(node.find_nodes(self._scene))
        sources = self._rendered(frame)
        made_from: list[Any] = [*self._saved, *(files.file_hash(path) for path in sources.values())]
        for level in sorted({dream.level for dream in self._dreams}):
            dreams = [dream for dream in self._dreams if dream.level == level]
            yield self._now("capture")
            before: dict[DreamNode, Before | None] = {}
            for dream in dreams:
                before[dream] = yield from self._dream_before(frame, dream)
            jobs = {dream: self._good_job(frame, dream, made_from, before[dream]) for dream in dreams}
            stale = [dream for dream in dreams if jobs[dream] is None]
            self._come_back_to(frame)
            scratch = self._captured(stale, sources)
            for dream in stale:
                jobs[dream] = yield from self._dreamed(frame, dream, scratch, made_from, before[dream])
            for dream in dreams:  # those that were still good too: the next level looks at all of them
                node.show_dreams(dream, self._path(frame, dream), self._scene)
                self._finished[dream.id] = frame
            made_from = [*made_from, *jobs.values()]
        yield self._now("composite")
        self._come_back_to(frame)
        self._composited(frame, sources, made_from)

    def _now(self, stage: Any, dream: DreamNode | None = None, progress: Progress | None = None) -> Event:
        event = self._event
        name = dream.name if dream else ""
        self._event = Event(event.frame, event.done, event.total, stage, name, progress)
        return self._event

    def _rendered(self, frame: int) -> dict[str, Path]:
        """The rendered passes of all scenes that the compositor uses, made where they are missing or stale."""
        sources = {}
        for scene in rendering.rendered_scenes(self._scene):
            other = None if scene == self._scene else scene.name
            _go_to(scene, frame)
            path = self._job.cache.raw(frame, other)
            key = changes.raw_key(scene, self._scene, *self._saved)
            if self._job.rerender or files.recorded(path) != key:
                with self._timed("render"):
                    temporary = self._job.cache.scratch("raw") / path.name
                    rendering.render_3d(scene, temporary, self._scene if other else None)
                    files.keep(temporary, path, key)
            sources[scene.name] = path
            self._shapes[scene.session_uid] = changes.frame_shape(scene, self._scene)
        return sources

    def _come_back_to(self, frame: int) -> None:
        """Before Blender works again: while a frame dreamed, the artist may have gone elsewhere."""
        for scene in rendering.rendered_scenes(self._scene):
            if self._shapes.get(scene.session_uid) != changes.frame_shape(scene, self._scene):
                raise SceneError(
                    "Size, border or view layers were changed while a frame dreamed.",
                    "Start again; finished frames are kept.",
                )
            _go_to(scene, frame)

    def _dream_before(self, frame: int, dream: DreamNode) -> Iterator[Event]:
        """Returns the dream of the frame before, if this one feeds or holds on to it and it is good: Before or None."""
        earlier, settings = frame - self._scene.frame_step, dream.group.deepdream
        if earlier < min(self._scene.frame_start, self._job.frames[0]):
            return None
        if not settings.endless and not (is_coherent(settings, self._job.wishes) and self._same_shot(earlier, frame)):
            return None
        if self._finished.get(dream.id) == earlier or self._was_good(earlier, dream):
            return Before(earlier, self._path(earlier, dream), self._kept(earlier, dream))
        if settings.endless or len(self._job.frames) > 1:
            yield self._begins_anew(frame, dream, f"frame {earlier} has no dream that today's settings would give")
        return None

    def _same_shot(self, earlier: int, frame: int) -> bool:
        return camera_of(self._scene, earlier) == camera_of(self._scene, frame)

    def _was_good(self, frame: int, dream: DreamNode) -> bool:
        """Whether another frame's dream is on disk, and what its settings of today would give again."""
        kept = self._kept(frame, dream)
        if not kept or (self._job.reuse_captures and kept["made_from"][: len(self._saved)] != [*self._saved]):
            return False
        found = self._scene.frame_current
        _go_to(self._scene, frame)
        request, _ = self._request(frame, dream, Sight.from_json(kept))
        _go_to(self._scene, found)
        return self._resolve(request) == kept["job"]

    def _begins_anew(self, frame: int, dream: DreamNode, why: str) -> Event:
        note = f"Frame {frame} of {dream.name} begins anew with what reaches the node: {why}."
        return replace(self._event, node=dream.name, note=note)

    def _good_job(self, frame: int, dream: DreamNode, made_from: list[Any], before: Before | None) -> str | None:
        """The job of the dream on disk, if it is what today's settings and a saved, unchanged scene would give."""
        kept = self._kept(frame, dream) if self._job.reuse_captures else {}
        if not kept or kept["made_from"] != made_from:
            return None
        sight = Sight.from_json(kept)
        if sight != self._with_before(sight, frame, dream, before)[0]:
            return None
        request, _ = self._request(frame, dream, sight)
        good = self._resolve(request) == kept["job"] and (
            not request.keep or has_detail(self._path(frame, dream), kept)
        )
        return str(kept["job"]) if good else None

    def _with_before(self, sight: Sight, frame: int, dream: DreamNode, before: Before | None) -> tuple[Sight, Files]:
        """What a node sees, with what it has of the frame before, and the files of that."""
        sight = replace(sight, before=None, follows=None)
        if before is None:
            return sight, {}
        if dream.group.deepdream.endless:
            name = files.file_hash(before.path)
            return (
                (replace(sight, before=name), {name: before.path})
                if size_of(before.path) == sight.size
                else (sight, {})
            )
        passes = self._passes(frame, dream, sight, before)
        found = follow(before, sight, passes, self._turn(before.frame, frame) if passes else None)
        return (replace(sight, follows=found[0]), found[1]) if found else (sight, {})

    def _passes(self, frame: int, dream: DreamNode, sight: Sight, before: Before | None) -> tuple[Path, Path] | None:
        """The rendered passes of two neighbouring frames, if they know how what the node sees has moved."""
        paths = self._job.cache.raw(frame), self._job.cache.raw(frame - 1)
        if dream.rendered != self._scene.name or self._scene.frame_step != 1:
            return None
        return paths if all(has_vectors(path, sight.size) for path in paths[: 2 if before else 1]) else None

    def _turn(self, earlier: int, frame: int) -> tuple[float, ...] | None:
        """How the background has turned since."""
        if earlier not in self._views:
            _go_to(self._scene, earlier)
            self._views[earlier] = camera.view(self._scene)
            _go_to(self._scene, frame)
        return camera.turn(self._views[frame], self._views[earlier])

    def _kept(self, frame: int, dream: DreamNode) -> dict[str, Any]:
        """What the dream on disk was made from; empty if there is none, or a damaged one."""
        return files.recorded(self._path(frame, dream)) or {}

    def _path(self, frame: int, dream: DreamNode) -> Path:
        return node.frame_path(self._job.cache.dreams(dream.folder_name), frame)

    def _captured(self, dreams: list[DreamNode], sources: dict[str, Path]) -> Path:
        scratch = self._job.cache.scratch("capture")
        if dreams:
            with self._timed("capture"):
                rendering.capture(self._scene, sources, dreams, scratch)
        return scratch

    def _request(self, frame: int, dream: DreamNode, sight: Sight) -> tuple[DreamRequest, Files]:
        """What is asked for at this frame, and the files of its guides and masks."""
        return make_request(dream.group.deepdream, sight, frame, self._job.wishes, self._job.cache.scratch("images"))

    def _dreamed(
        self, frame: int, dream: DreamNode, scratch: Path, made_from: list[Any], before: Before | None
    ) -> Iterator[Event]:
        """Dream what was captured for one node, unless just that lies on disk already. Returns the job's id."""
        seen, blobs = captured_sight(dream.id, scratch)
        sight, of_before = self._with_before(seen, frame, dream, before)
        if before and dream.group.deepdream.endless and not sight.before:
            yield self._begins_anew(frame, dream, "the frame before has another size")
        key = sight.to_json() | {"made_from": made_from}
        request, more = self._request(frame, dream, sight)
        path, kept = self._path(frame, dream), self._kept(frame, dream)
        job_id = self._resolve(request)
        if kept.get("job") == job_id and (not request.keep or has_detail(path, kept)):
            files.record(path, key | {"job": job_id, "detail": kept.get("detail"), "seen": kept.get("seen", False)})
            return job_id
        temporary, detail = (self._job.cache.scratch(name) / path.name for name in ("dream", "detail"))
        blobs |= of_before | more
        finished = yield from self._follow(
            dream, request, {blob: blobs[blob] for blob in request.blobs}, temporary, detail
        )
        guessed = bool(finished.detail) and not self._passes(frame, dream, sight, None)
        if finished.detail:
            files.place(detail, detail_path(path))
        if guessed:
            files.place(blobs[sight.image], seen_path(path))
        files.keep(temporary, path, key | {"job": finished.job, "detail": finished.detail, "seen": guessed})
        return str(finished.job)

    def _resolve(self, request: DreamRequest) -> str:
        """The id that the server would give to this request: the same id means the same pixels."""
        return self._reached(lambda client: client.resolve(request))

    def _follow(
        self, dream: DreamNode, request: DreamRequest, blobs: Files, destination: Path, detail: Path
    ) -> Iterator[Event]:
        """Dream on the server; a server that is lost in the middle is reached for once more. Returns Finished."""
        yield self._now("transfer", dream)
        for last_try in (False, True):
            try:
                finished: Finished = yield from self._watch(dream, request, blobs, destination, detail)
            except ServerUnavailableError:
                if last_try:
                    raise
                self._client = None
            else:
                self._add_seconds("transfer", finished.transfer)
                self._add_seconds("dream", finished.dream)
                return finished

    def _watch(
        self, dream: DreamNode, request: DreamRequest, blobs: Files, destination: Path, detail: Path
    ) -> Iterator[Event]:
        task = DreamTask(self._reached(lambda client: client), request, blobs, destination, detail)
        try:
            while True:
                try:
                    update = task.updates.get(timeout=self._job.patience)
                except queue.Empty:
                    yield self._event
                    continue
                if isinstance(update, Finished):
                    return update
                if isinstance(update, DeepDreamError):
                    raise update
                yield self._now("dream", dream, update)
        finally:
            task.cancel()

    def _reached(self, ask: Callable[[DreamClient], _Answer]) -> _Answer:
        """Ask the server something, starting or finding it first if need be, and once more if it was lost."""
        if self._client:
            with suppress(ServerUnavailableError), self._timed("transfer"):
                return ask(self._client)
        with self._timed("server"):
            self._client = self._job.connect()
        with self._timed("transfer"):
            return ask(self._client)

    def _composited(self, frame: int, sources: dict[str, Path], made_from: list[Any]) -> None:
        """The finished frame, into its file or the Render Result; one on disk that is still good stays."""
        output = self._job.output(frame) if self._job.output else None
        key = {"made_from": made_from, "output": str(output), "format": self._job.file_format}
        note = self._job.cache.final(frame)
        if output and self._job.reuse_captures and files.read_json(note) == key | {"sha256": files.file_hash(output)}:
            return
        with self._timed("composite"):
            if output is None:
                rendering.composite(self._scene, sources, None)
                return
            files.make_folder(output.parent)
            temporary = output.with_name(f".{output.stem}.{files.PROCESS}{output.suffix}")
            try:
                rendering.composite(self._scene, sources, temporary, self._job.file_format)
                temporary.replace(output)
            finally:
                temporary.unlink(missing_ok=True)
        files.write_json(note, key | {"sha256": files.file_hash(output)})

    @contextmanager
    def _timed(self, stage: Stage) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._add_seconds(stage, time.perf_counter() - started)

    def _add_seconds(self, stage: Stage, seconds: float) -> None:
        self._job.seconds[stage] = self._job.seconds.get(stage, 0.0) + seconds


def _go_to(scene: bpy.types.Scene, frame: int, subframe: float = 0.0) -> None:
    if (scene.frame_current, scene.frame_subframe) != (frame, subframe):
        with changes.not_counted():
            scene.frame_set(frame, subframe=subframe)
