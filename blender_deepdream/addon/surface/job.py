# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a surface: render views of it once, dream its textures elsewhere, wire them in. Read this first.

`dream_surface` is a generator, as the pipeline is: a batch drains it, a window advances it from a timer, and whoever
stops asking has cancelled. Rendered views are kept in the cache, and a killed run goes on with them; Blender's data is
untouched until the textures are there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.client import DreamClient
from ...protocol.errors import SceneError
from ...protocol.messages import ColorSpace, Depth, Progress
from ...protocol.picture_folder import names_of
from ...protocol.settings import DreamSettings
from ...protocol.surface import Sheet, SurfaceRequest, View
from .. import cache as files
from .. import changes, compat
from ..cache import Cache
from .apply import apply
from .cameras import directions, framing
from .identity import light_facts, stage_hash
from .stage import Stage, staged
from .targets import Plan
from .task import Dreamed, SurfaceTask
from .views import KINDS, bake_colors, prepare, render_view

_RENDERS = 0.5
"""Share of the whole that renders take."""
_WELL_COVERED = 0.5
"""Share of the textures that views should see: the inside of a thing is never seen."""
_SLICE_SECONDS = 1.5
"""How long a window stands still at a time while views are rendered."""


@dataclass(frozen=True)
class Cameras:
    """count: of views. spread: SPHERE or HEMISPHERE. side: of each picture. samples: of each pixel. light: STUDIO or
    SCENE."""

    count: int = 36
    spread: str = "SPHERE"
    side: int = 384
    samples: int = 12
    light: str = "STUDIO"


@dataclass(frozen=True)
class SurfaceJob:
    """What to dream. size: of the textures. guide: an image file. output: a folder that gets the textures; else they
    are packed into the .blend. again: whether views are rendered again. patience: seconds to wait for the server before
    yielding; 0 in a window."""

    scene: bpy.types.Scene
    plan: Plan
    cache: Cache
    connect: Callable[[], DreamClient]
    settings: DreamSettings
    cameras: Cameras = field(default_factory=Cameras)
    size: int = 1024
    depth: Depth = Depth.INT8
    guide: Path | None = None
    output: Path | None = None
    again: bool = False
    patience: float = 0.1
    rendered: set[Path] = field(default_factory=set)
    """Pictures that this run has rendered."""
    layers: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """UV maps that this run has made, by target."""


@dataclass(frozen=True)
class SurfaceEvent:
    """Where the work is. doing: what is being done, in words; detail: how far that is. note: what people must be told
    once."""

    fraction: float
    doing: str
    detail: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """One line for people: `Dreaming: octave 2 of 4, step 3, 14 s left`."""
        return f"{self.doing}{self.detail}"


@dataclass
class _Rendered:
    """What is known of the views. files: of the blobs, by hash."""

    views: list[View] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    def take(self, path: Path, blob: str) -> str:
        self.files[blob] = path
        return blob


def dream_surface(job: SurfaceJob) -> Iterator[SurfaceEvent]:
    """Render, dream and wire in. Raises DeepDreamError; the materials are changed at the very end, or not at all."""
    with changes.not_counted():
        # everything stands where a render has it
        job.scene.frame_set(job.scene.frame_current, subframe=job.scene.frame_subframe)
    for note in job.plan.notes:
        yield SurfaceEvent(0.0, "Looking at the objects", note=note)
    rendered = yield from _render(job)
    request = SurfaceRequest(
        tuple(rendered.views),
        tuple(rendered.sheets),
        job.settings,
        ColorSpace(compat.working_space()),
        None if job.guide is None else rendered.take(job.guide, changes.file_hash(job.guide)),
        job.depth,
    )
    paths = _destinations(job)
    dreamed = yield from _dream(job, request, rendered.files, paths)
    with changes.not_counted():
        apply(job.plan, paths, job.layers, pack=job.output is None)
    yield SurfaceEvent(1.0, "Done", note=_coverage_note(dreamed))


def _render(job: SurfaceJob) -> Iterator[SurfaceEvent]:
    """Returns the views, those on disk while they are good. Between events the artist's file is as it was."""
    scene_id, ways = job.scene.session_uid, directions(job.cameras.count, job.cameras.spread)
    total = 1 + len(KINDS) * len(ways)
    done = 0
    while True:
        with changes.not_counted(), staged(_scene(scene_id), job.plan, job.cameras.light, job.layers) as stage:
            renders = _Renders(job, stage, ways)
            stop = time.monotonic() + (math.inf if job.patience else _SLICE_SECONDS)
            for done in renders.make(stop):
                if job.patience:
                    yield _rendering(done, total)
            if done == total:
                return renders.gathered()
        yield _rendering(done, total)


class _Renders:
    """The pictures of a stage on their way to the cache."""

    def __init__(self, job: SurfaceJob, stage: Stage, ways: Sequence[NDArray[np.float64]]) -> None:
        self._job, self._stage = job, stage
        points = stage.points
        self._middle = (points.min(0) + points.max(0)) / 2
        self._framings = [framing(way, points - self._middle) for way in ways]
        lights = light_facts(job.scene) if job.cameras.light == "SCENE" else []
        self._key = {"stage": stage_hash(stage, job.cameras.light, lights), "side": job.cameras.side}
        self._folder = files.make_folder(job.cache.root / "surface" / self._key["stage"][:16])

    def make(self, stop: float) -> Iterator[int]:
        """Render what is not there yet; yields how many pictures there are after each. Ends when time is up."""
        done = 0
        if not all(self._hash(path, self._sheet_key) for path in self._sheets):
            scratch = [self._job.cache.scratch("bake") / path.name for path in self._sheets]
            bake_colors(self._stage, self._job.size, scratch)
            for temporary, path in zip(scratch, self._sheets, strict=True):
                self._keep(temporary, path, self._sheet_key)
        done += 1
        yield done
        for kind in KINDS:
            ready = False
            for number in range(len(self._framings)):
                if not self._hash(self._path(number, kind), self._view_key(number, kind)):
                    if time.monotonic() > stop:
                        return
                    if not ready:
                        prepare(self._stage, kind, self._job.cameras.side, self._job.cameras.samples)
                        ready = True
                    self._render(number, kind)
                done += 1
                yield done

    def gathered(self) -> _Rendered:
        """All pictures, which are good."""
        found = _Rendered()
        for path in self._sheets:
            found.sheets.append(Sheet(found.take(path, self._hash(path, self._sheet_key)), self._job.size))
        for number, framed in enumerate(self._framings):
            paths = [(self._path(number, kind), self._view_key(number, kind)) for kind in KINDS]
            blobs = [found.take(path, self._hash(path, key)) for path, key in paths]
            x, y, z = (float(place) for place in framed.place + self._middle)
            found.views.append(View(*blobs, (x, y, z)))
        return found

    def _render(self, number: int, kind: str) -> None:
        self._stage.look(self._framings[number], self._middle)
        path = self._path(number, kind)
        temporary = self._job.cache.scratch("view") / path.name
        render_view(self._stage, temporary)
        self._keep(temporary, path, self._view_key(number, kind))

    @property
    def _sheets(self) -> list[Path]:
        size = self._job.size
        return [self._folder / f"sheet{number:02d}-{size}.exr" for number in range(len(self._stage.plan.sheets))]

    @property
    def _sheet_key(self) -> dict[str, object]:
        return {"stage": self._key["stage"], "size": self._job.size}

    def _path(self, number: int, kind: str) -> Path:
        cameras = self._job.cameras
        return self._folder / f"{cameras.spread.lower()}{cameras.count}-{cameras.side}-{number:03d}-{kind}.exr"

    def _view_key(self, number: int, kind: str) -> dict[str, object]:
        place = [round(float(value), 6) for value in self._framings[number].place]
        samples = 1 if kind == "facts" else self._job.cameras.samples
        return self._key | {"place": place, "kind": kind, "samples": samples}

    def _hash(self, path: Path, key: Mapping[str, object]) -> str:
        """Of a good picture; empty if it is to be rendered."""
        stale = self._job.again and path not in self._job.rendered
        return "" if stale else files.good_hash(path, dict(key))

    def _keep(self, temporary: Path, path: Path, key: Mapping[str, object]) -> None:
        files.keep(temporary, path, key)
        self._job.rendered.add(path)


def _dream(
    job: SurfaceJob, request: SurfaceRequest, blobs: Mapping[str, Path], paths: Sequence[Path]
) -> Iterator[SurfaceEvent]:
    """Returns Dreamed; the textures lie at `paths`."""
    event = SurfaceEvent(_RENDERS, "Sending views")
    yield event
    task = SurfaceTask(job.connect(), request, blobs, paths)
    try:
        for update in task.news(job.patience):
            if isinstance(update, Dreamed):
                return update
            event = _told(update) if update else event
            yield event
    finally:
        task.cancel()


def _rendering(done: int, total: int) -> SurfaceEvent:
    return SurfaceEvent(_RENDERS * done / total, "Rendering", f": picture {done} of {total}")


def _told(progress: Progress) -> SurfaceEvent:
    left = "" if progress.eta is None else f", {progress.eta:.0f} s left"
    doing = f"Dreaming: octave {progress.octave} of {progress.octaves}"
    return SurfaceEvent(_RENDERS + (1 - _RENDERS) * progress.fraction, doing, f", step {progress.step}{left}")


def _destinations(job: SurfaceJob) -> list[Path]:
    """Where the textures go: beside each other, each under its sheet's name."""
    folder = files.make_folder(job.output or job.cache.root / "surface")
    suffix = ".exr" if job.depth.is_float else ".png"
    names = names_of((bpy.path.clean_name(sheet.name),) for sheet in job.plan.sheets)
    return [folder / f"{name}{suffix}" for name in names]


def _coverage_note(dreamed: Dreamed) -> str:
    if dreamed.coverage >= _WELL_COVERED:
        return ""
    return f"The views saw {dreamed.coverage:.0%} of the textures; what none saw is filled in from beside it."


def _scene(scene_id: int) -> bpy.types.Scene:
    for scene in bpy.data.scenes:
        if scene.session_uid == scene_id:
            return scene
    raise SceneError("The scene that was dreaming is gone.", "Rendered views are kept.")
