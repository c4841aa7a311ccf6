# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a surface: render views of it once, dream its textures elsewhere, wire them in. Read this first.

`dream_surface` is a generator, as the pipeline is: a batch drains it, a window advances it from a timer, and whoever
stops asking has cancelled. Rendered views are kept in the cache, and a killed run goes on with them; Blender's data is
untouched until the textures are there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...protocol.messages import Depth, Progress
from ...protocol.picture_folder import names_of
from ...protocol.settings import DreamSettings
from ...protocol.surface import SurfaceRequest
from .. import cache as files
from .. import changes
from ..request import working_color_space
from ..run import time_words
from ..task import Asking
from ..timeline import scene_of
from .apply import apply
from .photographs import Album, Photographs, Rendered
from .regions import Region
from .task import Dreamed, SurfaceTask

if TYPE_CHECKING:
    from ...protocol.client import DreamClient

_RENDERS = 0.5
"""Share of the whole that renders take."""
_WELL_COVERED = 0.5
"""Share of the textures that views should see: the inside of a thing is never seen."""
_SLICE_SECONDS = 1.5
"""How long a window stands still at a time while views are rendered."""


@dataclass(frozen=True)
class SurfaceJob:
    """What to dream. album: what it is seen through, the regions' masks among it. guide: an image file. relief: how
    deep; 0: none. output: a folder that gets the textures; else they are packed into the .blend. patience: seconds to
    wait for the server before yielding; 0 in a window."""

    scene: bpy.types.Scene
    album: Album
    connect: Callable[[], DreamClient]
    settings: DreamSettings
    depth: Depth = Depth.INT8
    guide: Path | None = None
    regions: tuple[Region, ...] = ()
    relief: float = 0.0
    output: Path | None = None
    patience: float = 0.1


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


def dream_surface(job: SurfaceJob) -> Iterator[SurfaceEvent]:
    """Render, dream and wire in. Raises DeepDreamError; the materials are changed at the very end, or not at all."""
    _request(job, Rendered(regions=[[] for _ in job.regions]))  # what will be refused is said before views are rendered
    for note in job.album.plan.notes:
        yield SurfaceEvent(0.0, "Looking at the objects", note=note)
    rendered = yield from photograph(job.scene, job.album, math.inf if job.patience else _SLICE_SECONDS)
    request = _request(job, rendered)
    paths = destinations(job)
    dreamed = yield from _dream(job, request, rendered.files, paths)
    with changes.not_counted():
        count = len(job.album.plan.sheets)
        apply(job.album.plan, paths[:count], paths[count:], job.album.layers, pack=job.output is None)
    yield SurfaceEvent(1.0, "Done", note=_coverage_note(dreamed))


def _request(job: SurfaceJob, rendered: Rendered) -> SurfaceRequest:
    """Raises SettingsError."""

    def blob(image: Path | None) -> str | None:
        return None if image is None else rendered.take(image, changes.file_hash(image))

    regions = zip(job.regions, rendered.regions, strict=True)
    return SurfaceRequest(
        tuple(rendered.views),
        tuple(rendered.sheets),
        job.settings,
        working_color_space(),
        blob(job.guide),
        job.depth,
        tuple(region.to_wire(masks, blob(region.guide)) for region, masks in regions),
        job.relief,
    )


def photograph(scene: bpy.types.Scene, album: Album, slice_seconds: float) -> Generator[SurfaceEvent, None, Rendered]:
    """All views, those of the cache while they are good. Between events after a slice the artist's file is as it was.

    Raises SceneError, RenderError, StorageError.
    """
    scene_id, done, start = scene.session_uid, 0, time.monotonic()
    with changes.not_counted():
        album.arrange(scene)
    while True:
        with changes.not_counted(), album.staged(scene_of(scene_id)) as stage:
            pictures = Photographs(album, stage, scene_of(scene_id))
            stop = time.monotonic() + slice_seconds
            for done in pictures.make(lambda stop=stop: time.monotonic() < stop):
                if math.isinf(slice_seconds):
                    yield _rendering(done, pictures.total, start)
            if done == pictures.total:
                return pictures.gathered()
        yield _rendering(done, pictures.total, start)


def _dream(
    job: SurfaceJob, request: SurfaceRequest, blobs: Mapping[str, Path], paths: Sequence[Path]
) -> Iterator[SurfaceEvent]:
    """Returns Dreamed; the textures lie at `paths`."""
    event = SurfaceEvent(_RENDERS, "Sending views")
    yield event
    client = yield from Asking(job.connect).answer(job.patience, event)
    task = SurfaceTask(client, request, blobs, paths)
    try:
        for update in task.news(job.patience):
            if isinstance(update, Dreamed):
                return update
            event = _told(update) if update else event
            yield event
    finally:
        task.cancel()


def _rendering(done: int, total: int, start: float) -> SurfaceEvent:
    left = (time.monotonic() - start) * (total - done) / max(1, done)
    return SurfaceEvent(_RENDERS * done / total, "Rendering views", f": picture {done} of {total}" + _left(left))


def _told(progress: Progress) -> SurfaceEvent:
    doing = f"Dreaming: octave {progress.octave} of {progress.octaves}"
    return SurfaceEvent(
        _RENDERS + (1 - _RENDERS) * progress.fraction, doing, f", step {progress.step}" + _left(progress.eta)
    )


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", {time_words(seconds)} left"


def destinations(job: SurfaceJob) -> list[Path]:
    """Where the textures go, and the reliefs after them: beside each other, each under its sheet's name, once."""
    folder = files.make_folder(job.output or job.album.cache.root / "surface")
    suffix = ".exr" if job.depth.is_float else ".png"
    stems = [bpy.path.clean_name(sheet.name) for sheet in job.album.plan.sheets]
    reliefs = [f"{stem}-relief.exr" for stem in stems if job.relief]
    return [folder / name for name in names_of((name,) for name in [*(stem + suffix for stem in stems), *reliefs])]


def _coverage_note(dreamed: Dreamed) -> str:
    if dreamed.coverage >= _WELL_COVERED:
        return ""
    return f"The views saw {dreamed.coverage:.0%} of the textures; what none saw is filled in from beside it."
