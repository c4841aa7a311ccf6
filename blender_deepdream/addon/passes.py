# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered passes of a run's frames: what is still good is taken, what is missing or stale is rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from ..protocol.errors import SceneError
from . import cache as files
from . import changes, rendering
from .render_job import runs_in_window
from .run import Job
from .timeline import go_to


class Rendered(NamedTuple):
    """The passes of one frame by the names of their scenes: where they lie, and their hashes."""

    files: dict[str, Path]
    hashes: dict[str, str]


class _Place(NamedTuple):
    """Where the passes of a scene lie, and the key of those that are good now. main: the scene that dreams, if it is
    another one."""

    scene: bpy.types.Scene
    main: bpy.types.Scene | None
    path: Path
    key: Mapping[str, Any]


class Passes:
    """Of the scene that dreams, and of those that its compositor takes renders of.

    scene: looked up anew each time. saved: what `changes.saved_hashes` gave.
    """

    def __init__(self, job: Job, scene: Callable[[], bpy.types.Scene], saved: Sequence[Any]) -> None:
        self._job = job
        self._scene_now = scene
        self._saved = [*saved]
        self._shapes: dict[int, dict[str, Any]] = {}
        self._rendered_now: set[Path] = set()

    @property
    def _scene(self) -> bpy.types.Scene:
        return self._scene_now()

    def of(self, frame: int) -> Rendered:
        """The rendered passes of all scenes that the compositor uses, made where they are missing or stale."""
        passes = Rendered({}, {})
        for place in self._places(frame):
            scene = place.scene
            passes.hashes[scene.name] = self._good_passes(place) or self._render(place)
            passes.files[scene.name] = place.path
            self._shapes[scene.session_uid] = changes.frame_shape(scene, self._scene)
        return passes

    def _places(self, frame: int) -> Iterator[_Place]:
        """One scene after the other, each at this frame."""
        for scene in rendering.rendered_scenes(self._scene):
            main = None if scene == self._scene else self._scene
            go_to(scene, frame)
            path = self._job.cache.raw(frame, scene.name if main else None)
            yield _Place(scene, main, path, changes.raw_key(scene, self._scene, *self._saved))

    def _good_passes(self, place: _Place) -> str:
        """Their hash; empty where they are to be rendered."""
        stale = self._job.rerender and place.path not in self._rendered_now
        return "" if stale else files.good_hash(place.path, place.key)

    def rendered_meanwhile(self, frame: int) -> Iterator[None]:
        """Render what is stale before it is needed, in a window that stays alive; elsewhere nothing."""
        if not runs_in_window(self._job.patience):
            return
        for place in self._places(frame):
            if not self._good_passes(place):
                temporary = self._job.cache.scratch("raw") / place.path.name
                with self._job.seconds.timed("render"):
                    yield from rendering.render_3d_meanwhile(place.scene, temporary, place.main)
                files.keep(temporary, place.path, place.key)
                self._rendered_now.add(place.path)

    def hash_of(self, frame: int) -> str:
        """Passes of a frame before the one in hand. Returns the hash of the scene's own."""
        here = self._scene.frame_current
        go_to(self._scene, frame)
        passes = self.of(frame)
        self.come_back_to(here)
        return passes.hashes[self._scene.name]

    def _render(self, place: _Place) -> str:
        with self._job.seconds.timed("render"):
            temporary = self._job.cache.scratch("raw") / place.path.name
            rendering.render_3d(place.scene, temporary, place.main)
            return files.keep(temporary, place.path, place.key)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """For a frame that is not in hand yet: what `come_back_to` looks for stays that of the one that is."""
        shapes = self._shapes.copy()
        try:
            yield
        finally:
            self._shapes = shapes

    def come_back_to(self, frame: int) -> None:
        """Before Blender works again: while a frame dreamed, the artist may have gone elsewhere."""
        for scene in rendering.rendered_scenes(self._scene):
            if self._shapes.get(scene.session_uid) != changes.frame_shape(scene, self._scene):
                raise SceneError(
                    "Size, border or view layers were changed while a frame dreamed.",
                    "Start again; finished frames are kept.",
                )
            go_to(scene, frame)
