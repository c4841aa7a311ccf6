# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a frame: render 3D once, capture what the nodes see, dream it elsewhere, composite. Read this first.

`dream_frames` is a generator: each step of work yields an Event, so a batch drains it, a window advances it from a
timer, and whoever stops asking has cancelled. The scene is untouched whenever it yields.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..protocol.errors import DeepDreamError, SceneError
from ..protocol.messages import Progress
from . import cache as files
from . import changes, node, rendering
from .conversation import Conversation, Watch
from .dreaming import Dreaming, Wanted
from .forecast import render_pixels
from .frame_files import is_left_alone, move, placeholder
from .node import DreamNode
from .pace import Pace
from .passes import Passes
from .render_job import runs_in_window
from .run import Event, Job
from .shots import Shots
from .sight import Files
from .task import Preview
from .timeline import go_to, scene_of
from .timing import Timing


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
        self._frames = sorted({*job.frames})
        self._scene_id = job.scene.session_uid
        self._found_frame = (job.scene.frame_current, job.scene.frame_subframe)
        node.separate_copies()
        self._dreams = self._chosen(node.find_nodes(job.scene))
        rendering.check_scene(job.scene)
        files.make_folder(job.cache.root)
        job.cache.clear_scratch()
        self._saved = changes.saved_hashes()
        self._event = Event(self._frames[0], 0, len(self._frames), "render")
        self._passes = Passes(job, lambda: self._scene, self._saved)
        self._shots = Shots(lambda: self._scene, job.cache, self._frames, self._passes.hash_of)
        self._server = Conversation(job.connect, job.patience, job.seconds)
        self._prepared: int | None = None
        """The frame that was made ready while the one before it dreamed."""
        self._runs_in_to = self._frames[0] if job.run_in else None
        """The frame that will not be dreamed without its run-in."""
        pace = Pace(job.cache.root)
        self._timing = Timing(job.seconds, pace)
        self._dreaming = Dreaming(job, lambda: self._scene, self._server, self._shots, self._saved, pace)
        self._check_output()

    def _check_output(self) -> None:
        """Before anything is rendered for it. Raises StorageError."""
        job = self._job
        first = job.file(self._frames[0])
        if first is None:
            return
        files.make_folder(first.parent)
        if not node.reaches_output(job.scene):
            self._dreaming.notes.append(
                "Nothing is linked to the compositor's output, so the frames that are written will not show the dream."
            )

    def close(self) -> None:
        """Leave nothing behind, whatever has become of the scene."""
        self._server.close()
        self._job.cache.clear_scratch()
        with suppress(SceneError):
            if self._scene.frame_current == self._event.frame:  # else the artist has moved on
                go_to(self._scene, *self._found_frame)

    @property
    def _scene(self) -> bpy.types.Scene:
        """Looked up each time. Raises SceneError."""
        return scene_of(self._scene_id)

    def run(self) -> Iterator[Event]:
        if not self._job.patience:  # a window would stand still where the server is found on the way
            yield from (self._now("server") for _ in self._server.meet())
        for index, frame in enumerate(self._frames):
            self._timing.begin()
            dreamed = self._dreaming.made
            self._event = Event(
                frame, index, len(self._frames), "render", left=self._timing.left(len(self._frames) - index - 1)
            )
            yield self._event
            if not is_left_alone(self._job, frame):
                with placeholder(self._job, frame):
                    yield from self._whole(frame)
            self._timing.finish(render_pixels(self._scene), dreamed=self._dreaming.made > dreamed)
            yield self._now("finished")

    def _whole(self, frame: int) -> Iterator[Event]:
        if self._job.only_stage == "render":
            go_to(self._scene, frame)
            self._passes.of(frame)
        else:
            yield from self._frame(frame)

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

    def _frame(self, frame: int, *, runs_in: bool = False) -> Iterator[Event]:
        """runs_in: it is dreamed for the sake of the frames after it only."""
        go_to(self._scene, frame)
        # anew for each frame: masks animate, and in a window nodes come and go
        self._dreams = self._chosen(node.find_nodes(self._scene))
        yield from (self._event for _ in self._passes.rendered_meanwhile(frame))
        passes = self._passes.of(frame)
        self._shots.see(frame, passes.hashes[self._scene.name])
        made_from: list[Any] = [*self._saved, *passes.hashes.values()]
        for level in sorted({dream.level for dream in self._dreams}):
            dreams = [dream for dream in self._dreams if dream.level == level]
            yield self._now("capture")
            jobs = yield from self._dreamed(frame, dreams, made_from, passes.files)
            for dream in dreams:  # those that were still good too: the next level looks at all of them
                self._dreaming.show(frame, dream)
            made_from = [*made_from, *jobs]
        if runs_in or self._job.only_stage == "dream":
            return
        yield self._now("composite")
        self._come_back_to(frame)
        yield from (self._event for _ in self._composited(frame, passes.files, made_from))

    def _come_back_to(self, frame: int) -> None:
        """Work in the scene again, after it was the artist's. Raises SceneError where a node has left it meanwhile."""
        self._passes.come_back_to(frame)
        there = {dream.id for dream in node.find_nodes(self._scene)}
        if gone := next((dream for dream in self._dreams if dream.id not in there), None):
            raise SceneError(
                f"The DeepDream node {gone.name!r} was muted, or taken out of the compositor, while it dreamed.",
                "Undo that, or start again; what is finished is kept.",
            )

    def _dreamed(
        self, frame: int, dreams: Sequence[DreamNode], made_from: Sequence[Any], sources: Files
    ) -> Iterator[Event]:
        """Dream what is not good any more of the nodes of one level. Returns the ids of all their jobs."""
        wanted = yield from self._wanted(frame, dreams, made_from)
        jobs = []
        for one in wanted:
            jobs.append((yield from self._dreaming.good_job(one, self._event)))
        if None in jobs and self._runs_in_to == frame:
            yield from self._run_in(frame)
            wanted = yield from self._wanted(frame, dreams, made_from)
        if None in jobs and self._job.only_stage == "composite":
            raise SceneError(
                f"Frame {frame} has no dream that today's scene and settings would give.",
                "Run --stage dream first, on the same cache and with the same options.",
            )
        yield from self._notes()
        self._come_back_to(frame)
        stale = [one.dream for one, job in zip(wanted, jobs, strict=True) if job is None]
        captures = yield from self._captured(stale, sources)
        for number, one in enumerate(wanted):
            if jobs[number] is None:
                yield self._now("transfer", one.dream)
                jobs[number] = yield from self._dreaming.dream(one, captures, self._watch(one))
                yield from self._notes()
        return jobs

    def _wanted(
        self, frame: int, dreams: Sequence[DreamNode], made_from: Sequence[Any]
    ) -> Generator[Event, None, list[Wanted]]:
        wanted = []
        for dream in dreams:
            before = yield from self._dreaming.before(frame, dream, self._event)
            wanted.append(Wanted(frame, dream, made_from, before))
        return wanted

    def _run_in(self, frame: int) -> Iterator[Event]:
        """Dream the frames before the first one, which it holds on to, into a passing folder."""
        self._runs_in_to = None
        if endless := next((dream for dream in self._dreams if dream.group.deepdream.endless), None):
            raise SceneError(
                f"The DeepDream node {endless.name!r} feeds on every frame before, so no run-in will do.",
                "Dream its frames from the first on, or mute it.",
            )
        earlier = self._shots.run_in(frame, self._job.run_in)
        self._dreaming.begin_run_in(earlier)
        for number in earlier:
            self._event = replace(self._event, frame=number)
            yield from self._frame(number, runs_in=True)
        self._event = replace(self._event, frame=frame)
        go_to(self._scene, frame)

    def _watch(self, wanted: Wanted) -> Watch:
        return Watch(functools.partial(self._news, wanted.dream), functools.partial(self._prepare, wanted.frame))

    def _prepare(self, frame: int) -> None:
        """While a frame dreams, render the next one and send what its dream will need.

        Not in a window, which would stand still.
        """
        following = next((other for other in self._frames if other > frame), None)
        if following in (None, self._prepared) or self._job.rerender or not self._job.patience:
            return
        self._prepared = following
        if is_left_alone(self._job, following):
            return
        with suppress(DeepDreamError), self._passes.ahead():  # the frame itself will tell
            go_to(self._scene, following)
            passes = self._passes.of(following)
            first = [dream for dream in node.find_nodes(self._scene) if not dream.level and dream in self._dreams]
            folder = self._captured_at_once(first, passes.files, "ahead")
            self._server.send_ahead([*passes.files.values(), *folder.iterdir()])
        self._passes.come_back_to(frame)

    def _news(self, dream: DreamNode, news: Progress | Preview | None) -> Event:
        if isinstance(news, Preview):
            return replace(self._event, preview=news.jpeg)
        return self._now("dream", dream, news) if news else self._event

    def _notes(self) -> Iterator[Event]:
        while self._dreaming.notes:
            yield replace(self._event, note=self._dreaming.notes.pop(0))

    def _now(self, stage: Any, dream: DreamNode | None = None, progress: Progress | None = None) -> Event:
        event = self._event
        name = dream.name if dream else ""
        self._event = Event(event.frame, event.done, event.total, stage, name, progress, left=event.left)
        return self._event

    def _captured(self, dreams: list[DreamNode], sources: Files) -> Generator[Event, None, Path]:
        """What the nodes see, in a folder; yields while a window captures."""
        if not runs_in_window(self._job.patience):
            return self._captured_at_once(dreams, sources)
        scratch = self._job.cache.scratch("capture")
        if dreams:
            with self._job.seconds.timed("capture"):
                steps = rendering.capture_meanwhile(self._scene, sources, dreams, scratch)
                yield from (self._event for _ in steps)
        return scratch

    def _captured_at_once(self, dreams: list[DreamNode], sources: Files, name: str = "capture") -> Path:
        scratch = self._job.cache.scratch(name)
        if dreams:
            with self._job.seconds.timed("capture"):
                rendering.capture(self._scene, sources, dreams, scratch)
        return scratch

    def _composited(self, frame: int, sources: Files, made_from: list[Any]) -> Iterator[None]:
        """The finished frame, into its file or the Render Result; one on disk that is still good stays.

        Yields while a window composites.
        """
        output = self._job.file(frame)
        key = {"made_from": made_from, "output": str(output), "format": self._job.file_format}
        note = self._job.cache.final(frame)
        if output and self._job.reuse_captures and files.read_json(note) == key | {"sha256": files.file_hash(output)}:
            return
        with self._job.seconds.timed("composite"):
            if output is None:
                yield from self._composite(sources, None)
                return
            files.make_folder(output.parent)
            temporary = output.with_name(f".{output.stem}.{files.PROCESS}{output.suffix}")
            try:
                yield from self._composite(sources, temporary)
                move(temporary, output)
            finally:
                temporary.unlink(missing_ok=True)
        files.write_json(note, key | {"sha256": files.file_hash(output)})

    def _composite(self, sources: Files, path: Path | None) -> Iterator[None]:
        if not runs_in_window(self._job.patience):
            rendering.composite(self._scene, sources, path, self._job.file_format)
            return
        yield from rendering.composite_meanwhile(self._scene, sources, path, self._job.file_format)
